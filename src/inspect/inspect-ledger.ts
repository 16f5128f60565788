import { unknownKeyError } from '../errors/ledger.ts';
import { applyRecords } from '../ledger/reducer.ts';
import { isObject } from '../util/json.ts';
import {
  readPastDamage,
  stateBefore,
  type ReadablePage,
  type UnreadableRecord,
} from '../ledger/record-reader.ts';
import type { Checkpoint } from '../ledger/record.ts';
import { unprovenIn, type LedgerEntry, type LedgerState } from '../ledger/state.ts';
import { checkpointOf } from '../ledger/checkpoint.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { findSession } from '../ledger/find-session.ts';
import type {
  DamagedRecord,
  InspectedItem,
  InspectedResponse,
  InspectedTurn,
  LedgerInspection,
} from './ledger-inspection.ts';

/**
 * Describes a session from its ledger: turns, responses, pending changes, damaged records. Reads the store alone and writes
 * nothing.
 *
 * @param id the session's name, or the ID of a conversation that it has or had.
 * @param options.content whether the items come with their content, as far as the ledger keeps it. Default false.
 * @returns undefined when the ledger does not know the session.
 * @throws LedgerUnreadableError for a ledger of a newer version, LedgerUnreadableError, and the errors of the store.
 */
export async function inspectLedger(
  store: LedgerStore,
  id: string,
  { content = false }: { readonly content?: boolean | undefined } = {},
): Promise<LedgerInspection | undefined> {
  // A checkpoint that cannot be read is no reason not to look at the records.
  const sessionId = await findSession(store, id).catch(() => id);
  const page = await readPastDamage(refusingSealed(store), sessionId, 0);
  const stored = await store.checkpoint(sessionId).catch((error: unknown) => {
    if (page.records.length === 0) throw error;
    return undefined;
  });
  if (stored === undefined && page.records.length === 0) return undefined;
  return inspection(sessionId, page, stored, content);
}

function inspection(
  sessionId: string,
  page: ReadablePage,
  stored: Checkpoint | undefined,
  content: boolean,
): LedgerInspection {
  const state = stateBefore(page);
  applyRecords(state, page.records);
  const checkpoint = checkpointOf(state);
  const items = state.entries.map((entry, index) => inspectedItem(entry, index, content));
  return {
    sessionId,
    records: checkpoint.version,
    length: checkpoint.length,
    digest: checkpoint.digest,
    consistent: stored?.length === checkpoint.length && stored.digest === checkpoint.digest,
    turns: turnsOf(state, items),
    unproven: unprovenIn(state),
    conversation: state.conversation,
    former: [...state.former.keys()],
    pending: state.conversation === undefined ? { write: [], remove: [] } : pendingOf(state),
    lease: state.lease && { writer: state.lease.writer, until: state.lease.until },
    refused: [...state.refused],
    operations: [...state.operations.keys()],
    damaged: page.damaged.map((record) => damageOf(record)),
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
  // The least sequence number from each place to the end: it only grows, so that one walk finds where each turn ends.
  const least = Array.from({ length: state.entries.length }, () => 0);
  for (let at = state.entries.length - 1; at >= 0; at -= 1)
    least[at] = Math.min(state.entries[at]?.seq ?? 0, least[at + 1] ?? Number.POSITIVE_INFINITY);
  let from = 0;
  let to = 0;
  for (const [nextSeq, responses] of [...ends].toSorted(([a], [b]) => a - b)) {
    // An item that was inserted later has a later number.
    while ((least[to] ?? Number.POSITIVE_INFINITY) < nextSeq) to += 1;
    turns.push({ items: items.slice(from, to), responses });
    from = to;
  }
  if (from < items.length) turns.push({ items: items.slice(from), responses: [] });
  return turns;
}

/** The reason alone: the rest of the message names the session, which the reader knows. */
function damageOf({ position, error }: UnreadableRecord): DamagedRecord {
  const message = error instanceof Error ? error.message : '';
  return { position, reason: message.slice(message.lastIndexOf(': ') + 2) };
}

/** A record that `encryptedLedger` wrote is not damaged: it needs the key. */
function refusingSealed(store: LedgerStore): Pick<LedgerStore, 'read'> {
  return {
    async read(sessionId, from = 0, to?: number) {
      const page = await store.read(sessionId, from, to);
      const start = page.start ?? from;
      for (const [index, record] of page.records.entries()) requirePlain(record, sessionId, start + index);
      return page;
    },
  };
}

function requirePlain(record: unknown, sessionId: string, position: number): void {
  if (!isObject(record) || record['type'] !== 'sealed') return;
  throw unknownKeyError(sessionId, position, String(record['key']));
}
