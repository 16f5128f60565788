import type { Checkpoint, LedgerRecord } from '../../src/ledger/record.ts';
import { memoryLedger, type LedgerStore } from '../../src/index.ts';

/** A session as a backup holds it. */
export interface Backup {
  readonly sessionId: string;
  readonly checkpoint: Checkpoint | undefined;
  readonly start: number;
  readonly records: readonly LedgerRecord[];
}

/** A store that can be put back to how it was, and that can lag behind itself. */
export interface RestorableStore {
  readonly store: LedgerStore;
  readonly backup: (sessionId: string) => Promise<Backup>;
  /** Puts a session back, as a backup or a failover does. */
  readonly restore: (backup: Backup) => Promise<void>;
  /** Forgets a session. */
  readonly lose: (sessionId: string) => Promise<void>;
  /** Shows a session for so many reads as it was. */
  readonly lag: (backup: Backup, reads: number) => void;
}

export function restorableStore(): RestorableStore {
  const memory = memoryLedger();
  let shown: Backup | undefined;
  let left = 0;
  const isBehind = (sessionId: string): boolean => shown?.sessionId === sessionId && left-- > 0;
  const store: LedgerStore = {
    ...memory,
    checkpoint: async (id) => (isBehind(id) ? shown?.checkpoint : memory.checkpoint(id)),
    read: async (id, from = 0, to?: number) => {
      if (!isBehind(id) || shown === undefined) return memory.read(id, from, to);
      const { start, records } = shown;
      const part = records.slice(Math.max(0, from - start), to === undefined ? to : Math.max(0, to - start));
      return start > from ? { start, records: part } : { records: part };
    },
  };
  return {
    store,
    backup: async (sessionId) => {
      const { start = 0, records } = await memory.read(sessionId);
      return { sessionId, checkpoint: await memory.checkpoint(sessionId), start, records };
    },
    restore: async ({ sessionId, checkpoint, start, records }) => {
      await memory.delete(sessionId);
      if (checkpoint === undefined) return;
      if (start === 0) return memory.append(sessionId, records, checkpoint, 0);
      // The first record of a rewritten log has the position after all former ones.
      const before = Array.from({ length: start - 1 }, (): LedgerRecord => records[0] as LedgerRecord);
      await memory.append(sessionId, before, checkpoint, 0);
      await memory.rewrite(sessionId, records, checkpoint, start - 1);
    },
    lose: (sessionId) => memory.delete(sessionId),
    lag: (backup, reads) => {
      [shown, left] = [backup, reads];
    },
  };
}
