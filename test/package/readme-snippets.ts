/** A program in a Markdown file. */
export interface Snippet {
  /** The nearest heading above it. */
  readonly heading: string;
  /** TypeScript that can be run; a block without imports continues the one before. */
  readonly source: string;
  readonly isTest: boolean;
}

/** The TypeScript programs of a Markdown text, in order. */
export function snippetsOf(markdown: string): Snippet[] {
  const snippets: Snippet[] = [];
  let heading = '';
  for (const [, title, block] of markdown.matchAll(/^#+ (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    if (block === undefined) continue;
    const begins = /^import /m.test(block);
    const source = begins ? block : `${snippets.at(-1)?.source ?? ''}\n${block}`;
    snippets.push({ heading, source, isTest: /from 'vitest'/.test(source) });
  }
  return snippets;
}

/** The commands of this package in a Markdown text that need no key, no conversation of the reader's, and end by themselves. */
export function commandsOf(markdown: string): string[][] {
  return [...markdown.matchAll(/^npx (agents-hybrid-session [^#\n]+)/gm)]
    .map(([, line = '']) => line.trim().split(/\s+/))
    .filter((words) => !words.some((word) => /^(?:--live$|simulate$|conv_|resp_)|\.jsonl$/.test(word)));
}
