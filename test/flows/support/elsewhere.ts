import type { LedgerStore } from '../../../src/index.ts';

/** The same ledger through another object, as another process has it. */
export function elsewhere(store: LedgerStore): LedgerStore {
  return {
    head: (sessionId) => store.head(sessionId),
    read: (sessionId, from) => store.read(sessionId, from),
    append: (...args) => store.append(...args),
    delete: (sessionId) => store.delete(sessionId),
  };
}
