import type { LedgerStore } from './ledger-store.ts';
import { movedTo } from './session-move.ts';

/**
 * The ID under which a session goes on: its own, unless its history was moved.
 *
 * Reads heads alone; one that cannot be read says nothing, and whoever reads the records will hear why.
 */
export async function whereItIs(store: LedgerStore, sessionId: string): Promise<string> {
  const seen = new Set<string>();
  let id = sessionId;
  while (!seen.has(id)) {
    seen.add(id);
    const head = await store.head(id).catch(() => undefined);
    id = movedTo(head?.move) ?? id;
  }
  return id;
}
