import { LedgerConflictError } from '../errors/ledger.ts';
import type { Checkpoint, LedgerRecord } from '../ledger/record.ts';
import type { LedgerStore } from '../ledger/store.ts';

interface Draft {
  /** The position of the first of its records. */
  readonly from: number;
  /** Whether they replace the records of the other store. */
  readonly isRewritten: boolean;
  readonly records: LedgerRecord[];
  checkpoint: Checkpoint;
}

/** A store that reads from another one and keeps its own appends in memory, for a dry run. */
export function draftStore(store: LedgerStore): LedgerStore {
  const drafts = new Map<string, Draft>();
  const requireVersion = async (sessionId: string, expected: number): Promise<void> => {
    const actual = (drafts.get(sessionId)?.checkpoint ?? (await store.checkpoint(sessionId)))?.version ?? 0;
    if (actual !== expected) throw new LedgerConflictError(sessionId, expected, actual);
  };
  return {
    checkpoint: async (sessionId) => drafts.get(sessionId)?.checkpoint ?? store.checkpoint(sessionId),
    async read(sessionId, from = 0, to?: number) {
      const draft = drafts.get(sessionId);
      if (draft === undefined) return store.read(sessionId, from, to);
      const page = await store.read(sessionId, from, Math.min(to ?? draft.from, draft.from));
      const isBefore = draft.isRewritten && from < draft.from;
      const drafted = draft.records.slice(
        Math.max(0, from - draft.from),
        to === undefined ? to : to - draft.from,
      );
      const records = to === undefined || to > draft.from ? drafted : [];
      if (isBefore) return { start: draft.from, records };
      return { ...page, records: [...page.records, ...records] };
    },
    async append(sessionId, records, checkpoint, expected) {
      await requireVersion(sessionId, expected);
      const draft = drafts.get(sessionId);
      if (draft === undefined)
        drafts.set(sessionId, { from: expected, isRewritten: false, records: [...records], checkpoint });
      else {
        draft.records.push(...records);
        draft.checkpoint = checkpoint;
      }
    },
    async rewrite(sessionId, records, checkpoint, expected) {
      await requireVersion(sessionId, expected);
      drafts.set(sessionId, { from: expected + 1, isRewritten: true, records: [...records], checkpoint });
    },
    async delete(sessionId, expected?: number) {
      if (expected !== undefined) await requireVersion(sessionId, expected);
      drafts.delete(sessionId);
    },
  };
}
