/** A piece of what somebody said. */
export type ProsePiece =
  | { readonly type: 'prose'; readonly lines: readonly string[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string };

const OPENS = /^[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*$/;

/** Prose and the code blocks in it, which are all that is read of its Markdown. A block without an end goes to the end. */
export function piecesOf(text: string): ProsePiece[] {
  const pieces: ProsePiece[] = [];
  let lines: string[] = [];
  let open: { fence: string; language: string; indent: RegExp } | undefined;
  const close = (): void => {
    if (open !== undefined) pieces.push({ type: 'code', language: open.language, text: lines.join('\n') });
    else if (lines.some((line) => line.trim() !== '')) pieces.push({ type: 'prose', lines });
    lines = [];
    open = undefined;
  };
  for (const line of text.replaceAll(/\r\n?/g, '\n').split('\n')) {
    if (open !== undefined) {
      if (isEnd(line, open.fence)) close();
      else lines.push(line.replace(open.indent, ''));
      continue;
    }
    const [, fence, language = ''] = OPENS.exec(line) ?? [];
    if (fence === undefined) {
      lines.push(line);
      continue;
    }
    close();
    open = { fence, language, indent: new RegExp(`^[ \\t]{0,${line.search(/[`~]/)}}`) };
  }
  close();
  return pieces;
}

/** Lines as paragraphs in which nothing is Markdown, and every line ends where it ended. */
export function plainMarkdown(lines: readonly string[]): string {
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

/** One line in which nothing is Markdown. */
export function plainLine(line: string): string {
  const [indent = ''] = /^[ \t]*/.exec(line) ?? [];
  const rest = line
    .slice(indent.length)
    .replaceAll(/[\\`*_[\]<>&~|#!$]/g, String.raw`\$&`)
    .replace(/^[-+=]|^(\d{1,9})(?=[.)])/, (start) => (/^\d/.test(start) ? `${start}\\` : `\\${start}`));
  return `${indent.replaceAll('\t', '    ').replaceAll(' ', '&nbsp;')}${rest}`;
}

function isEnd(line: string, fence: string): boolean {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence.charAt(0).repeat(trimmed.length);
}
