import type { AgentInputItem } from '@openai/agents';
import { viewItem, type ItemBlock } from './item-view.ts';

/**
 * Items as Markdown for people: who said what, calls and their results, media by what they are.
 *
 * All content stands in fences that are longer than any in it, or in code: whatever it says, it stays content.
 *
 * @param title the heading, such as the conversation's ID.
 */
export function* toMarkdown(
  items: Iterable<AgentInputItem>,
  title = 'Conversation',
): Generator<string, void, undefined> {
  yield `# ${heading(title)}\n`;
  let number = 0;
  for (const item of items) {
    number += 1;
    const view = viewItem(item);
    const name = view.name === undefined ? '' : ` ${inlineCode(view.name)}`;
    yield `\n## ${number}. ${heading(view.title)}${name}\n`;
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
  if (block.type === 'note') return `*${block.text}*`;
  if (block.type === 'media') {
    const name = block.name === undefined ? '' : ` ${inlineCode(block.name)}`;
    return `- ${block.kind}${name}: ${inlineCode(block.reference)}`;
  }
  return labelled(block.label, fenced(block.text, block.type === 'code' ? block.language : 'text'));
}

function labelled(label: string | undefined, block: string): string {
  return label === undefined ? block : `${heading(label)}:\n\n${block}`;
}

function fenced(text: string, language: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  // What ends a line to the reader of the file must not end one only there.
  const lines = text.replaceAll(/\r\n?/g, '\n');
  return `${fence}${language}\n${lines}${lines.endsWith('\n') ? '' : '\n'}${fence}`;
}

function inlineCode(text: string): string {
  const line = text.replaceAll(/[\s\0]+/g, ' ').trim();
  if (line === '') return '(empty)';
  const fence = '`'.repeat(longestRun(line) + 1);
  return line.includes('`') ? `${fence} ${line} ${fence}` : `${fence}${line}${fence}`;
}

function longestRun(text: string): number {
  return [...text.matchAll(/`+/g)].reduce((longest, [run]) => Math.max(longest, run.length), 0);
}

/** One line in which nothing is Markdown. */
function heading(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[\\`*_{}[\]()#+\-.!<>|~&$^=:"']/g, String.raw`\$&`);
}
