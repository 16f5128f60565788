import { randomUUID } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toJsonLines } from '../../src/index.ts';
import { runCommand, temporaryFolder } from '../cli/support/on-a-ledger.ts';
import { anyHistory } from '../support/items.ts';

const file = temporaryFolder();
const stores = [
  { kind: 'sqlite', where: () => `sqlite:${file('ledger.db')}`, isThere: true },
  {
    kind: 'redis',
    where: () => process.env['TEST_REDIS_URL'] ?? '',
    isThere: 'TEST_REDIS_URL' in process.env,
  },
  {
    kind: 'postgres',
    where: () => process.env['TEST_POSTGRES_URL'] ?? '',
    isThere: 'TEST_POSTGRES_URL' in process.env,
  },
  {
    kind: 'mysql',
    where: () => process.env['TEST_MYSQL_URL'] ?? '',
    isThere: 'TEST_MYSQL_URL' in process.env,
  },
];

describe.each(stores)('an export from $kind', ({ where, isThere }) => {
  /** Imports, exports and erases, on a session of its own. */
  async function roundTrip(items: readonly AgentInputItem[]): Promise<[written: string, read: string]> {
    const written = [...toJsonLines(items)].join('');
    const session = `s ${randomUUID()}`;
    const ledger = ['--ledger', where()];
    await runCommand(['import', '-', ...ledger, '--session', session], {}, { input: [written] });
    const { stdout } = await runCommand(['export', session, ...ledger]);
    await runCommand(['erase', session, ...ledger, '--yes']);
    return [written, stdout];
  }

  it.skipIf(!isThere)('an export has the bytes of the import, for any items', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory, async (items) => {
        const [written, read] = await roundTrip(items);
        expect(read).toBe(written);
      }),
      { seed: 20261129, numRuns: 20 },
    );
  });

  it.skipIf(!isThere)('an export has thousands of items, and a big one', async () => {
    const items = Array.from({ length: 5000 }, (_, at): AgentInputItem => ({
      role: 'user',
      content: at === 2500 ? 'big\0\u2028'.repeat(400_000) : `item ${at}`,
    }));
    const [written, read] = await roundTrip(items);
    expect(read === written).toBe(true);
  });
});
