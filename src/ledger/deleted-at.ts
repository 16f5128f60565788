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
    throw error;
  }
}
