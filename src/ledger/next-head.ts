import { EMPTY_DIGEST, extendDigest } from './digest.ts';
import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import { baseDigest, headOf, leavingOf, moveOf, type LedgerState } from './ledger-state.ts';
import { marksAfter } from './marks-after.ts';
import { nextTip } from './next-tip.ts';
import { moveAfter } from './session-move.ts';

/** What the head needs to know of an entry. */
interface Link {
  readonly seq: number;
  readonly digest: string | null;
  readonly context: string;
}

/** The head a ledger will have once the records are appended, without touching its state. */
export function nextHead(state: LedgerState, records: readonly LedgerRecord[]): LedgerHead {
  const head = headOf(state);
  let { response, move } = head;
  let { cleared } = state;
  const refused = new Set(state.refused);
  let { nextSeq } = state;
  // The history is the first `kept` entries of the state and what has grown behind them: only that is built anew.
  let kept = state.entries.length;
  let before = { length: state.base?.length ?? 0, digest: baseDigest(state) };
  let grown: Link[] = [];
  const last = (): string => grown.at(-1)?.context ?? state.entries[kept - 1]?.context ?? before.digest;
  const grow = (seq: number, digest: string | null): void => {
    grown.push({ seq, digest, context: extendDigest(last(), digest) });
  };
  const cutAt = (keep: number): Link[] => {
    if (keep >= kept) return grown.splice(keep - kept);
    const cut = [...state.entries.slice(keep, kept), ...grown];
    kept = keep;
    grown = [];
    return cut;
  };
  for (const record of records) {
    switch (record.type) {
      case 'items':
        for (const item of record.items) grow(nextSeq++, item.digest);
        cleared = false;
        break;
      case 'replace': {
        const cut = new Map(cutAt(record.keep).map((link) => [link.seq, link]));
        for (const item of record.items) {
          if (!('seq' in item)) {
            grow(nextSeq++, item.digest);
            continue;
          }
          const link = cut.get(item.seq);
          cut.delete(item.seq);
          if (link !== undefined) grow(link.seq, link.digest);
        }
        break;
      }
      case 'pop':
        if (grown.pop() === undefined) kept = Math.max(0, kept - 1);
        break;
      case 'clear':
        cutAt(0);
        refused.clear();
        cleared = true;
        response = undefined;
        before = { length: 0, digest: EMPTY_DIGEST };
        break;
      case 'response':
        response = {
          id: record.id,
          time: record.time,
          store: record.store,
          ...(record.model === undefined ? {} : { model: record.model }),
          ...(refused.has(record.id) ? { refused: true } : {}),
          ...(record.context === undefined ? {} : { context: record.context }),
        };
        break;
      case 'heal':
      case 'origin':
      case 'moved':
        move = moveAfter(move, record);
        break;
      case 'refused':
        refused.add(record.id);
        if (record.id === response?.id) response = { ...response, refused: true };
        break;
      case 'mirror':
      case 'lease':
      case 'repair':
    }
  }
  const tip = nextTip(state, records, nextSeq);
  return {
    ...moveOf(move),
    version: state.version + records.length,
    length: before.length + kept + grown.length,
    digest: last(),
    ...(response === undefined ? {} : { response }),
    ...(tip === undefined ? {} : { tip }),
    ...(cleared ? { cleared: true } : {}),
    ...leavingOf(marksAfter(state, records)),
  };
}
