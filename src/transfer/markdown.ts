import type { AgentInputItem } from '@openai/agents';
import { escapeControls } from '../util/escape-controls.ts';
import { viewItem, type ItemBlock } from '../items/item-view.ts';

/**
 * Items as Markdown for people: messages, calls and their results, and media by kind and place.
 *
 * Messages are prose with code blocks. All other Markdown and HTML is escaped, and every fence is longer than any in its code, so
 * that content cannot become structure. Control characters and invisible characters are shown as escapes.
 *
 * @param title the heading, such as the conversation's ID.
 */
export function* toMarkdown(
  items: Iterable<AgentInputItem>,
  title = 'Conversation',
): Generator<string, void, undefined> {
  for (const piece of piecesFor(items, title)) yield escapeControls(piece, { lines: true });
}

function* piecesFor(items: Iterable<AgentInputItem>, title: string): Generator<string, void, undefined> {
  yield `# ${plainLine(oneLine(title))}\n`;
  let number = 0;
  for (const item of items) {
    number += 1;
    const view = viewItem(item);
    const name = view.name === undefined ? '' : ` ${inlineCode(view.name)}`;
    yield `\n## ${number}. ${plainLine(oneLine(view.title))}${name}\n`;
    const id = 'id' in item ? item.id : undefined;
    const names = [
      ...(typeof id === 'string' ? [`ID ${inlineCode(id)}`] : []),
      ...(view.callId === undefined ? [] : [`call ${inlineCode(view.callId)}`]),
    ];
    if (names.length > 0) yield `\n${names.join(', ')}\n`;
    for (const block of view.blocks) yield `\n${markdownOf(block)}\n`;
  }
}

function markdownOf(block: ItemBlock): string {
  switch (block.type) {
    case 'note':
      return `*${block.text}*`;
    case 'media': {
      const name = block.name === undefined ? '' : ` ${inlineCode(block.name)}`;
      return `- ${block.kind}${name}: ${inlineCode(block.reference)}`;
    }
    case 'code':
      return labelled(block.label, fenced(block.text, block.language));
    default:
      return labelled(block.label, said(block.text));
  }
}

function said(text: string): string {
  // First, so that no invisible character is dropped as white space.
  const visible = escapeControls(text.replaceAll(/\r\n?/g, '\n'), { lines: true });
  const pieces = piecesOf(visible).map((piece) =>
    piece.type === 'code' ? fenced(piece.text, piece.language) : plainMarkdown(piece.lines),
  );
  return pieces.length === 0 ? '*Nothing.*' : pieces.join('\n\n');
}

function labelled(label: string | undefined, block: string): string {
  return label === undefined ? block : `${plainLine(oneLine(label))}:\n\n${block}`;
}

function fenced(text: string, language: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  // A lone carriage return ends a line for some readers of the file: all of them see the same lines.
  const lines = text.replaceAll(/\r\n?/g, '\n');
  return `${fence}${language}\n${lines}${lines.endsWith('\n') ? '' : '\n'}${fence}`;
}

function inlineCode(text: string): string {
  const line = oneLine(text);
  if (line === '') return '(empty)';
  const fence = '`'.repeat(longestRun(line) + 1);
  return line.includes('`') ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`;
}

function longestRun(text: string): number {
  let [longest, run] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    run = text.charAt(at) === '`' ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\0]+/g, ' ').trim();
}

/** A piece of a message. */
export type ProsePiece =
  | { readonly type: 'prose'; readonly lines: readonly string[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string };

/** A line that opens a block of code. */
interface Opening {
  readonly fence: string;
  readonly language: string;
  readonly indent: number;
}

/** Splits a text into prose and code blocks; other Markdown is not read. A block without an end goes to the end. */
function piecesOf(text: string): ProsePiece[] {
  const pieces: ProsePiece[] = [];
  let lines: string[] = [];
  let open: Opening | undefined;
  const close = (): void => {
    if (open !== undefined) pieces.push({ type: 'code', language: open.language, text: lines.join('\n') });
    else if (lines.some((line) => line.trim() !== '')) pieces.push({ type: 'prose', lines });
    lines = [];
    open = undefined;
  };
  for (const line of text.replaceAll(/\r\n?/g, '\n').split('\n')) {
    if (open !== undefined) {
      if (isEnd(line, open.fence)) close();
      else lines.push(line.slice(Math.min(open.indent, indentOf(line))));
      continue;
    }
    const opening = openingOf(line);
    if (opening === undefined) {
      lines.push(line);
      continue;
    }
    close();
    open = opening;
  }
  close();
  return pieces;
}

/** Lines as paragraphs without Markdown; line breaks stay. */
function plainMarkdown(lines: readonly string[]): string {
  const paragraphs: string[][] = [[]];
  for (const line of lines) {
    if (/^[ \t]*$/.test(line)) paragraphs.push([]);
    else paragraphs.at(-1)?.push(plainLine(line));
  }
  return paragraphs
    .filter((paragraph) => paragraph.length > 0)
    .map((paragraph) => paragraph.join('\\\n'))
    .join('\n\n');
}

/** One line without Markdown. */
function plainLine(line: string): string {
  const [indent = ''] = /^[ \t]*/.exec(line) ?? [];
  const rest = line
    .slice(indent.length)
    .replaceAll(/[\\`*_[\]<>&~|#!$]/g, String.raw`\$&`)
    .replace(/^[-+=]|^(\d{1,9})(?=[.)])/, (start) => (/^\d/.test(start) ? `${start}\\` : `\\${start}`));
  return `${indent.replaceAll('\t', '    ').replaceAll(' ', '&nbsp;')}${rest}`;
}

/** Not a regular expression: backtracking would take quadratic time on a long line. */
function openingOf(line: string): Opening | undefined {
  const indent = indentOf(line);
  const mark = line.charAt(indent);
  if (mark !== '`' && mark !== '~') return undefined;
  let end = indent;
  while (line.charAt(end) === mark) end += 1;
  const info = line.slice(end);
  if (end - indent < 3 || info.includes('`')) return undefined;
  const [language = ''] = /^[\w+#.-]*/.exec(info.trimStart()) ?? [];
  return { fence: line.slice(indent, end), language, indent };
}

function indentOf(line: string): number {
  let indent = 0;
  while (line.charAt(indent) === ' ' || line.charAt(indent) === '\t') indent += 1;
  return indent;
}

function isEnd(line: string, fence: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence.charAt(0).repeat(trimmed.length);
}
