import { itemDigest } from '../ledger/digest.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { DiagnosedResponse, Diagnosis, TimelineItem } from './diagnosis.ts';

/** What to write down besides the diagnosis. */
export interface RecordDiagnosisOptions {
  /** A conversation to which the history is to be written, or was begun to be written, by `heal()`. */
  readonly to?: string | undefined;
}

/**
 * Writes down in a ledger what a diagnosis put together and the ledger does not know: a session on that ledger then serves
 * it, and `heal()` writes it to a fresh conversation. What no response proves counts as `unproven`.
 *
 * @param diagnosis one with content, made with the ledger if that knows the conversation.
 * @returns how many items the ledger did not know.
 */
export async function recordDiagnosis(
  store: LedgerStore,
  diagnosis: Diagnosis,
  { to }: RecordDiagnosisOptions = {},
): Promise<number> {
  const ledger = new Ledger({ store, sessionId: diagnosis.conversationId, now: () => Date.now() });
  const before = (await ledger.state()).entries.length;
  const { entries } = await ledger.commit((state) => {
    if (state.version > 0) return completingSteps(state, diagnosis);
    return [...historySteps(diagnosis), ...(to === undefined ? [] : [{ type: 'heal' as const, to }])];
  });
  return entries.length - before;
}

/** What the diagnosis has more than the ledger, each at its place; nothing unless it has all that the ledger has, in order. */
function completingSteps(state: LedgerState, { timeline, responses }: Diagnosis): LedgerStep[] {
  const seen = new Set(state.entries.flatMap(({ mirrorId }) => mirrorId ?? []));
  const items: ({ seq: number } | LedgerItem)[] = [];
  let at = 0;
  for (const one of timeline) {
    if (one.index === null) continue;
    const entry = state.entries[at];
    const isKnown = entry?.kind === one.kind && (entry.mirrorId ?? entry.id ?? null) === one.id;
    if (isKnown) at += 1;
    items.push(isKnown ? { seq: entry.seq } : recorded(one, seen));
  }
  const keep = items.findIndex((item) => !('seq' in item));
  if (at < state.entries.length || keep === -1) return [];
  const known = new Set(state.responses.map(({ id }) => id));
  const used = responses.filter(({ id, standing }) => standing === 'used' && !known.has(id));
  return [
    { type: 'replace', keep, items: items.slice(keep) },
    ...used.map((response) => responseStep(response)),
  ];
}

function historySteps({ timeline, responses, proof }: Diagnosis): LedgerStep[] {
  const history = timeline.filter(({ index }) => index !== null);
  const made = new Map(responses.map((response) => [response.id, response]));
  const lastOf = new Map(history.map(({ responseId }, at) => [responseId, at]));
  const seen = new Set<string>();
  const steps: LedgerStep[] = [];
  let items: LedgerItem[] = [];
  const flush = (): void => {
    if (items.length > 0)
      steps.push({ type: 'items', items, ...(proof === 'ledger' ? {} : { unproven: true }) });
    items = [];
  };
  history.forEach((one, at) => {
    items.push(recorded(one, seen));
    const response = one.responseId === null ? undefined : made.get(one.responseId);
    if (response === undefined || lastOf.get(response.id) !== at) return;
    flush();
    steps.push(responseStep(response));
  });
  flush();
  return steps;
}

/** Without a model and a context: enough to read the turn back, not to continue from it. */
function responseStep({ id, parent, time }: DiagnosedResponse): LedgerStep {
  return {
    type: 'response',
    id,
    store: true,
    ...(parent === null ? {} : { parent }),
    ...(time === null ? {} : { time }),
  };
}

function recorded({ id, kind, item }: TimelineItem, seen: Set<string>): LedgerItem {
  const isNew = id !== null && !seen.has(id);
  if (id !== null) seen.add(id);
  return {
    digest: item === undefined ? null : itemDigest(item),
    kind,
    ...(id === null ? {} : { id }),
    ...(item === undefined ? {} : { item }),
    ...(isNew ? { mirrorId: id } : {}),
  };
}
