import { isObject } from './json.ts';
import type { LedgerStore } from './ledger-store.ts';

/**
 * Forgets a session as long as nothing was appended since that version.
 *
 * @returns false when something was, or it was forgotten already: then nothing happened.
 */
export async function deletedAt(store: LedgerStore, sessionId: string, version: number): Promise<boolean> {
  try {
    await store.delete(sessionId, version);
    return true;
  } catch (error) {
    if (isObject(error) && error['code'] === 'ledger_conflict') return false;
    // Whatever went wrong, it may have been done: only the store can tell.
    if (await isThere(store, sessionId)) throw error;
    return true;
  }
}

async function isThere(store: LedgerStore, sessionId: string): Promise<boolean> {
  try {
    return (await store.head(sessionId)) !== undefined;
  } catch {
    return true;
  }
}
