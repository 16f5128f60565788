import { describe, expect, it } from 'vitest';
import { engines } from '../stores/support/engines.ts';
import { ledgerStoreContract } from '../../src/testing.ts';

for (const engine of engines) {
  const { name, missing } = engine;
  if (missing !== undefined) process.stderr.write(`Skipped: ledgers on ${name}, because ${missing}\n`);
  describe.skipIf(missing !== undefined)(
    `A ledger in ${name}${missing === undefined ? '' : ` (${missing})`}`,
    () => {
      it.for(ledgerStoreContract(engine))('$name', async ({ run }) => {
        await expect(run()).resolves.toBeUndefined();
      });
    },
  );
}
