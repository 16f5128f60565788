import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import type { LedgerStore } from './ledger-store.ts';

interface Draft {
  readonly from: number;
  readonly records: LedgerRecord[];
  head: LedgerHead;
}

/** A store that reads from another one and keeps to itself what is appended: to see what would be done, without doing it. */
export function draftStore(store: LedgerStore): LedgerStore {
  const drafts = new Map<string, Draft>();
  const requireVersion = async (sessionId: string, expected: number): Promise<void> => {
    const actual = (drafts.get(sessionId)?.head ?? (await store.head(sessionId)))?.version ?? 0;
    if (actual !== expected) throw new LedgerConflictError(sessionId, expected, actual);
  };
  return {
    head: async (sessionId) => drafts.get(sessionId)?.head ?? store.head(sessionId),
    async read(sessionId, from = 0, to?: number) {
      const draft = drafts.get(sessionId);
      if (draft === undefined) return store.read(sessionId, from, to);
      const page = await store.read(sessionId, from, Math.min(to ?? draft.from, draft.from));
      // A store that keeps no beginning has nothing but its newest head.
      if (page.base !== undefined) return { base: draft.head, records: [] };
      const drafted = draft.records.slice(
        Math.max(0, from - draft.from),
        to === undefined ? to : to - draft.from,
      );
      return { records: [...page.records, ...(to === undefined || to > draft.from ? drafted : [])] };
    },
    async append(sessionId, records, head, expected) {
      await requireVersion(sessionId, expected);
      const draft = drafts.get(sessionId);
      if (draft === undefined) drafts.set(sessionId, { from: expected, records: [...records], head });
      else {
        draft.records.push(...records);
        draft.head = head;
      }
    },
    async delete(sessionId, expected?: number) {
      if (expected !== undefined) await requireVersion(sessionId, expected);
      drafts.delete(sessionId);
    },
  };
}
