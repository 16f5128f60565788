import { applyRecords } from '../ledger/apply-records.ts';
import { parseHead, type LedgerHead } from '../ledger/ledger-record.ts';
import { emptyState, headOf, type LedgerEntry, type LedgerState } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { stateFrom } from '../ledger/state-from-head.ts';
import type {
  InspectedItem,
  InspectedResponse,
  InspectedTurn,
  LedgerInspection,
} from './ledger-inspection.ts';
import { readableRecords, type ReadableRecords } from './readable-records.ts';

/**
 * What a ledger says of a session: turns, responses, what is pending, what is damaged. Reads the store alone and writes
 * nothing.
 *
 * @param options.content whether the items come with their content, as far as the ledger keeps it. Default false.
 * @returns undefined when the ledger does not know the session.
 * @throws LedgerRecordError for a ledger of a newer version, LedgerDecryptionError, and what the store throws.
 */
export async function inspectLedger(
  store: LedgerStore,
  sessionId: string,
  { content = false }: { readonly content?: boolean | undefined } = {},
): Promise<LedgerInspection | undefined> {
  const readable = await readableRecords(store, sessionId);
  const stored = await store.head(sessionId).catch((error: unknown) => {
    // A head that cannot be read is no reason not to look at the records.
    if (readable.records.length === 0) throw error;
    return undefined;
  });
  if (stored === undefined && readable.records.length === 0 && readable.base === undefined) return undefined;
  return inspection(sessionId, readable, stored, content);
}

function inspection(
  sessionId: string,
  { base, records, damaged }: ReadableRecords,
  stored: LedgerHead | undefined,
  content: boolean,
): LedgerInspection {
  const state = base === undefined ? emptyState() : stateFrom(parseHead(base, sessionId));
  applyRecords(state, records);
  const head = headOf(state);
  const items = state.entries.map((entry, index) =>
    inspectedItem(entry, (base?.length ?? 0) + index, content),
  );
  const knowsConversation =
    records.some(({ type }) => type === 'lease' || type === 'mirror') ||
    items.some(({ mirrorId }) => mirrorId !== undefined);
  return {
    sessionId,
    records: head.version,
    length: head.length,
    digest: head.digest,
    consistent: stored?.length === head.length && stored.digest === head.digest,
    before: base?.length ?? 0,
    turns: turnsOf(state, items),
    unproven: state.unproven,
    mirrored: base === undefined ? knowsConversation : undefined,
    pending: knowsConversation ? pendingOf(state) : { write: [], remove: [] },
    lease: state.lease && { writer: state.lease.writer, until: state.lease.until },
    refused: [...state.refused],
    operations: [...state.operations.keys()],
    move: state.move,
    cleared: state.cleared,
    damaged,
  };
}

function inspectedItem(entry: LedgerEntry, index: number, content: boolean): InspectedItem {
  const { kind, digest, id, mirrorId, skipped, item } = entry;
  const kept = item !== undefined;
  return { index, kind, digest, id, mirrorId, skipped, kept, item: content ? item : undefined };
}

function pendingOf(state: LedgerState): LedgerInspection['pending'] {
  const write = state.entries.flatMap(({ seq }, index) => (state.unmirrored.has(seq) ? [index] : []));
  const remove = [...state.removed].flatMap(([id, waiting]) => (waiting ? [id] : []));
  return { write, remove };
}

/** Responses that were recorded with nothing between them ended one turn. */
function turnsOf(state: LedgerState, items: readonly InspectedItem[]): InspectedTurn[] {
  const ends = new Map<number, InspectedResponse[]>();
  for (const { id, time, model, parent, store, context, nextSeq } of state.responses) {
    const response: InspectedResponse = {
      id,
      time,
      model,
      parent,
      store,
      context: context === undefined ? undefined : { length: context.length, digest: context.digest },
      refused: state.refused.has(id),
    };
    const together = ends.get(nextSeq);
    if (together === undefined) ends.set(nextSeq, [response]);
    else together.push(response);
  }
  const turns: InspectedTurn[] = [];
  let from = 0;
  for (const [nextSeq, responses] of [...ends].toSorted(([a], [b]) => a - b)) {
    // What was put in later has a later number, wherever it stands.
    const to = Math.max(from, state.entries.findLastIndex(({ seq }) => seq < nextSeq) + 1);
    turns.push({ items: items.slice(from, to), responses });
    from = to;
  }
  if (from < items.length) turns.push({ items: items.slice(from), responses: [] });
  return turns;
}
