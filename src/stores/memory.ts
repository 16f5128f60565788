import { LedgerConflictError } from '../errors/ledger.ts';
import { clock } from '../util/clock.ts';
import type { Checkpoint, LedgerRecord } from '../ledger/record.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { summaryOf } from './shared/session-summary.ts';

/** A session's checkpoint and records, as text, which no caller can change, and which takes less room. */
interface Kept extends KeptRecords {
  readonly checkpoint: string;
  readonly updated: number;
}

interface KeptRecords {
  /** The position of the first record. */
  readonly start: number;
  readonly records: string[];
}

const memoryLedgers = new WeakSet<LedgerStore>();

/** Whether a ledger ends with its process. */
export function isMemoryLedger(ledger: LedgerStore): boolean {
  return memoryLedgers.has(ledger);
}

/**
 * A ledger store in this process: the default.
 *
 * Share one instance between sessions to let them see each other's appends. Everything is gone when the process ends.
 */
export function memoryLedger(): LedgerStore {
  const sessions = new Map<string, Kept>();
  /** @throws LedgerConflictError when the ledger's version is another one. */
  const keptAt = (sessionId: string, expected: number | undefined): KeptRecords => {
    const kept = sessions.get(sessionId) ?? { start: 0, records: [] };
    const version = kept.start + kept.records.length;
    if (expected !== undefined && version !== expected)
      throw new LedgerConflictError(sessionId, expected, version);
    return kept;
  };
  const ledger: LedgerStore = {
    async checkpoint(sessionId) {
      const session = sessions.get(sessionId);
      return session && (JSON.parse(session.checkpoint) as Checkpoint);
    },
    async read(sessionId, from = 0, to?: number) {
      const { start, records: texts } = keptAt(sessionId, undefined);
      const part = texts.slice(Math.max(0, from - start), to === undefined ? to : Math.max(0, to - start));
      const records = part.map((text) => JSON.parse(text) as LedgerRecord);
      return start > from ? { start, records } : { records };
    },
    async append(sessionId, records, checkpoint, expected) {
      const { start, records: kept } = keptAt(sessionId, expected);
      const texts = records.map((record) => JSON.stringify(record));
      const head = JSON.stringify(checkpoint);
      for (const text of texts) kept.push(text);
      sessions.set(sessionId, { checkpoint: head, start, records: kept, updated: clock.now() });
    },
    async rewrite(sessionId, records, checkpoint, expected) {
      keptAt(sessionId, expected);
      const texts = records.map((record) => JSON.stringify(record));
      sessions.set(sessionId, {
        checkpoint: JSON.stringify(checkpoint),
        start: expected + 1,
        records: texts,
        updated: clock.now(),
      });
    },
    async delete(sessionId, expected?: number) {
      keptAt(sessionId, expected);
      sessions.delete(sessionId);
    },
    async *sessions({ prefix = '' } = {}) {
      // The names first: a session that is deleted and written again would come twice.
      for (const sessionId of Array.from(sessions.keys())) {
        const kept = sessionId.startsWith(prefix) ? sessions.get(sessionId) : undefined;
        if (kept !== undefined)
          yield* summaryOf(sessionId, JSON.parse(kept.checkpoint) as Checkpoint, kept.updated);
      }
    },
  };
  memoryLedgers.add(ledger);
  return ledger;
}
