import { itemDigest } from '../items/digest.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../ledger/record.ts';
import type { LedgerState } from '../ledger/state.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { findSession } from '../ledger/find-session.ts';
import type { DiagnosedResponse, Diagnosis, TimelineItem } from './diagnosis.ts';

/** Options of `recordDiagnosis()`. */
export interface RecordDiagnosisOptions {
  /** The conversation to which `heal()` writes the history, or has begun to write it. */
  readonly to?: string | undefined;
}

/**
 * Records the items of a diagnosis that the ledger lacks. A session on that ledger then serves them, and `heal()` writes
 * them to a fresh conversation. Items that no response proves count as `unproven`.
 *
 * @param diagnosis a diagnosis with content, made with this ledger if the ledger knows the conversation.
 * @returns the number of added items.
 */
export async function recordDiagnosis(
  store: LedgerStore,
  diagnosis: Diagnosis,
  { to }: RecordDiagnosisOptions = {},
): Promise<number> {
  const { conversationId } = diagnosis;
  const sessionId = await findSession(store, conversationId);
  const ledger = new Ledger({ store, sessionId });
  const before = (await ledger.read()).entries.length;
  const { entries } = await ledger.append((state) => {
    if (state.version > 0) return completingSteps(state, diagnosis);
    const begun: LedgerStep[] = to === undefined ? [] : [{ type: 'conversation', id: to }];
    return [{ type: 'conversation', id: conversationId }, ...historySteps(diagnosis), ...begun];
  });
  return entries.length - before;
}

/** The items that the ledger lacks, each in its place; none unless the diagnosis holds all the ledger's items in order. */
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
  const used = responses.filter(({ id, status }) => status === 'used' && !known.has(id));
  return [
    { type: 'replace', keep, items: items.slice(keep) },
    ...used.map((response) => responseStep(response)),
  ];
}

function historySteps({ timeline, responses, evidence }: Diagnosis): LedgerStep[] {
  const history = timeline.filter(({ index }) => index !== null);
  const made = new Map(responses.map((response) => [response.id, response]));
  const lastOf = new Map(history.map(({ responseId }, at) => [responseId, at]));
  const seen = new Set<string>();
  const steps: LedgerStep[] = [];
  let items: LedgerItem[] = [];
  const flush = (): void => {
    if (items.length > 0)
      steps.push({ type: 'items', items, ...(evidence === 'ledger' ? {} : { unproven: true }) });
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
