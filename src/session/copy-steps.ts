import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import type { LedgerEntry, LedgerState, RecordedResponse } from '../ledger/ledger-state.ts';

/**
 * What makes a copy of one session's ledger the same history, responses and operations; nothing when it is. Pure.
 *
 * Items keep their order, digests and content, not their sequence numbers; each is to be linked under the ID that the
 * API stores it by, where that is known.
 */
export function copySteps(from: LedgerState, to: LedgerState): LedgerStep[] {
  const keep = sameBeginning(from.entries, to.entries);
  const linked = new Set(from.entries.slice(0, keep).map(({ mirrorId }) => mirrorId));
  const steps: LedgerStep[] = [];
  if (keep < to.entries.length) steps.push({ type: 'replace', keep, items: [] });
  let unproven = Math.min(from.unproven, from.entries.length) - to.unproven;
  let at = keep;
  const itemsUpTo = (end: number): void => {
    while (at < end) {
      // The first items are those that were adopted unproven.
      const next = unproven > 0 ? Math.min(end, at + unproven) : end;
      const items = from.entries.slice(at, next).map((entry) => copyOf(entry, linked));
      steps.push({ type: 'items', items, ...(unproven > 0 ? { unproven: true } : {}) });
      unproven -= items.length;
      at = next;
    }
  };
  let digest = keep === 0 ? undefined : from.entries[keep - 1]?.context;
  for (const response of from.responses.slice(to.responses.length)) {
    const end = Math.max(at, from.entries.findLastIndex(({ seq }) => seq < response.nextSeq) + 1);
    itemsUpTo(end);
    digest = end === 0 ? undefined : from.entries[end - 1]?.context;
    steps.push(responseStep(response, digest));
  }
  itemsUpTo(from.entries.length);
  for (const id of from.refused) if (!to.refused.has(id)) steps.push({ type: 'refused', id });
  for (const [id, operation] of from.operations) {
    if (to.operations.has(id)) continue;
    steps.push({ type: 'items', items: [], operation: { id, digest: operation } });
  }
  return steps;
}

function sameBeginning(one: readonly LedgerEntry[], other: readonly LedgerEntry[]): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one[index], other[index]];
    if (a === undefined || b === undefined || !isCopy(a, b)) return index;
  }
  return length;
}

/** By its content, and by its ID where no digest covers that; what was pending may have got one since it was copied. */
function isCopy(entry: LedgerEntry, copy: LedgerEntry): boolean {
  if (entry.kind !== copy.kind || entry.digest !== copy.digest) return false;
  const id = idOf(entry);
  return entry.digest !== null || id === undefined || copy.id === undefined || id === copy.id;
}

/** An ID is linked once: the API refuses to list it twice. */
function copyOf(entry: LedgerEntry, linked: Set<string | undefined>): LedgerItem {
  const { digest, kind, item, mirrorId } = entry;
  const id = idOf(entry);
  const isNew = mirrorId !== undefined && !linked.has(mirrorId);
  linked.add(mirrorId);
  return {
    digest,
    kind,
    ...(id === undefined ? {} : { id }),
    ...(item === undefined ? {} : { item }),
    ...(isNew ? { link: mirrorId } : {}),
  };
}

/** The ID it came with; that is where responses have it, too. */
function idOf({ id, mirrorId }: LedgerEntry): string | undefined {
  return id ?? mirrorId;
}

function responseStep(
  { id, time, store, model, parent, context, history }: RecordedResponse,
  digest: string | undefined,
): LedgerStep {
  return {
    type: 'response',
    id,
    time,
    store,
    ...(model === undefined ? {} : { model }),
    ...(parent === undefined ? {} : { parent }),
    ...(context === undefined ? {} : { context }),
    ...(history === digest ? {} : { history }),
  };
}
