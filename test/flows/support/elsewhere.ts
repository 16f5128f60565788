import type { LedgerStore } from '../../../src/index.ts';

/** The same ledger through another object, as another process has it. */
export function elsewhere(store: LedgerStore): LedgerStore {
  return {
    checkpoint: (sessionId) => store.checkpoint(sessionId),
    read: (...args) => store.read(...args),
    append: (...args) => store.append(...args),
    rewrite: (...args) => store.rewrite(...args),
    delete: (...args) => store.delete(...args),
  };
}
