import type { LedgerStore } from '../../../src/index.ts';

/** The same ledger through another object, as another process has it. */
export function elsewhere(store: LedgerStore): LedgerStore {
  return {
    head: (sessionId) => store.head(sessionId),
    read: (...args) => store.read(...args),
    append: (...args) => store.append(...args),
    delete: (...args) => store.delete(...args),
  };
}
