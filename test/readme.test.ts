import { access, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import type { HybridSessionErrorCode, HybridSessionEvent, HybridSessionOptions, Mode } from '../src/index.ts';
import * as door from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = await readFile(`${root}README.md`, 'utf8');

// What is added to one of these types and not here does not compile.
const options: Record<keyof HybridSessionOptions, true> = {
  client: true,
  conversationId: true,
  ledger: true,
  rollout: true,
  mirror: true,
  mirrorLease: true,
  sessionId: true,
  keepContent: true,
  checkList: true,
  onIncomplete: true,
  responseTtl: true,
  cache: true,
  onEvent: true,
  observers: true,
};
const events: Record<HybridSessionEvent['type'], true> = {
  lost: true,
  restored: true,
  incomplete: true,
  adopted: true,
  mirror_failed: true,
  mirror_skipped: true,
  list_failed: true,
  ledger_damaged: true,
  conflict: true,
  turn: true,
  planned: true,
  unanchored: true,
  parent_refused: true,
  rollout_failed: true,
};
const codes: Record<HybridSessionErrorCode, true> = {
  invalid_options: true,
  invalid_item: true,
  invalid_response: true,
  conversation_not_found: true,
  history_anchor: true,
  history_incomplete: true,
  history_transaction: true,
  import_refused: true,
  invalid_line: true,
  ledger_conflict: true,
  ledger_record: true,
  ledger_decryption: true,
  ledger_unavailable: true,
  mirror_incomplete: true,
};
const modes: Record<Mode, true> = { off: true, shadow: true, rebuild: true, chain: true };

/** The cells of the first table under a heading, row by row, without its head. */
function table(heading: string): string[][] {
  const section = readme.split(/^## /m).find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The name in backticks that a row begins with. */
function names(heading: string): string[] {
  return table(heading).map(([cell = '']) => /^`(\w+)`/.exec(cell)?.[1] ?? cell);
}

describe('the README', () => {
  it.each([
    { heading: 'Modes', known: modes },
    { heading: 'Options', known: options },
    { heading: 'Events', known: events },
    { heading: 'Errors', known: codes },
  ])('lists everything there is under $heading, and nothing else', ({ heading, known }) => {
    expect(names(heading).toSorted()).toEqual(Object.keys(known).toSorted());
  });

  it('names the class of every error as it is exported', () => {
    const classes = table('Errors').map(([, cell = '']) => cell.replaceAll('`', ''));
    const exported = Object.keys(door).filter(
      (name) => name.endsWith('Error') && name !== 'HybridSessionError',
    );
    expect(classes.toSorted()).toEqual(exported.toSorted());
  });

  it('links to files that exist', async () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) await expect(access(root + link)).resolves.toBeUndefined();
  });

  it('links to headings that exist', () => {
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(anchor);
  });

  it('justifies every runtime dependency', () => {
    const [, section = ''] = readme.split('## Dependencies');
    for (const name of Object.keys(manifest.dependencies)) expect(section).toContain(`- \`${name}\`: `);
    for (const name of Object.keys(manifest.peerDependencies)) expect(section).toContain(`\`${name}\``);
  });

  it('claims no savings in tokens', () => {
    expect(readme).not.toMatch(/(saves?|saving|fewer|less) (\w+ )?tokens/i);
  });
});
