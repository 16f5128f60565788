import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import type { LedgerHead, LedgerRecord } from '../ledger/ledger-record.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';

/**
 * A ledger store in this process: the default.
 *
 * Share one instance between sessions to let them see each other's appends. Everything is gone when the process ends.
 */
export function memoryLedger(): LedgerStore {
  const sessions = new Map<string, { head: LedgerHead; records: LedgerRecord[] }>();
  return {
    async head(sessionId) {
      return structuredClone(sessions.get(sessionId)?.head);
    },
    async read(sessionId, from = 0, to?: number) {
      return { records: structuredClone(sessions.get(sessionId)?.records.slice(from, to) ?? []) };
    },
    async append(sessionId, records, head, expected) {
      const session = sessions.get(sessionId);
      const version = session?.records.length ?? 0;
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
      const added = structuredClone({ head, records });
      if (session === undefined) {
        sessions.set(sessionId, { head: added.head, records: [...added.records] });
        return;
      }
      for (const record of added.records) session.records.push(record);
      session.head = added.head;
    },
    async delete(sessionId, expected?: number) {
      const version = sessions.get(sessionId)?.records.length ?? 0;
      if (expected !== undefined && version !== expected)
        throw new LedgerConflictError(sessionId, expected, version);
      sessions.delete(sessionId);
    },
  };
}
