import { EMPTY_DIGEST, extendDigest } from './digest.ts';
import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import { headOf, type LedgerState } from './ledger-state.ts';

/** The head a ledger will have once the records are appended, without touching its state. */
export function nextHead(state: LedgerState, records: readonly LedgerRecord[]): LedgerHead {
  const head = headOf(state);
  // The contexts after each entry, of which only the changed end is ever built anew.
  let kept = state.entries.length;
  let grown: string[] = [];
  let response = head.response;
  const last = (): string => grown.at(-1) ?? state.entries[kept - 1]?.context ?? EMPTY_DIGEST;
  const digests = new Map<number, string | null>();
  for (const record of records) {
    switch (record.type) {
      case 'items':
        for (const item of record.items) grown.push(extendDigest(last(), item.digest));
        break;
      case 'replace': {
        for (const entry of state.entries.slice(record.keep)) digests.set(entry.seq, entry.digest);
        kept = Math.min(kept, record.keep);
        grown = [];
        for (const item of record.items) {
          const digest = 'seq' in item ? digests.get(item.seq) : item.digest;
          if (digest !== undefined) grown.push(extendDigest(last(), digest));
        }
        break;
      }
      case 'pop':
        if (grown.pop() === undefined) kept = Math.max(0, kept - 1);
        break;
      case 'clear':
        kept = 0;
        grown = [];
        response = undefined;
        break;
      case 'response':
        response = {
          id: record.id,
          time: record.time,
          store: record.store,
          ...(record.context === undefined ? {} : { context: record.context }),
        };
        break;
      case 'mirror':
    }
  }
  return {
    format: head.format,
    version: state.version + records.length,
    length: kept + grown.length,
    digest: last(),
    ...(response === undefined ? {} : { response }),
  };
}
