import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import type { LedgerHead, LedgerRecord } from '../ledger/ledger-record.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';

/**
 * A ledger store in this process: the default.
 *
 * Share one instance between sessions to let them see each other's appends. Everything is gone when the process ends.
 */
export function memoryLedger(): LedgerStore {
  // As text, which nobody can change, and which takes less room.
  const sessions = new Map<string, { head: string; readonly records: string[] }>();
  return {
    async head(sessionId) {
      const session = sessions.get(sessionId);
      return session && (JSON.parse(session.head) as LedgerHead);
    },
    async read(sessionId, from = 0, to?: number) {
      const texts = sessions.get(sessionId)?.records.slice(from, to) ?? [];
      return { records: texts.map((text) => JSON.parse(text) as LedgerRecord) };
    },
    async append(sessionId, records, head, expected) {
      const session = sessions.get(sessionId) ?? { head: '', records: [] };
      const version = session.records.length;
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
      const texts = records.map((record) => JSON.stringify(record));
      session.head = JSON.stringify(head);
      for (const text of texts) session.records.push(text);
      sessions.set(sessionId, session);
    },
    async delete(sessionId, expected?: number) {
      const version = sessions.get(sessionId)?.records.length ?? 0;
      if (expected !== undefined && version !== expected)
        throw new LedgerConflictError(sessionId, expected, version);
      sessions.delete(sessionId);
    },
  };
}
