import { itemDigest } from '../ledger/digest.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { DiagnosedResponse, Diagnosis, TimelineItem } from './diagnosis.ts';

/** What to write down besides the diagnosis. */
export interface RecordDiagnosisOptions {
  /** A conversation to which the history is to be written, or was begun to be written, by `heal()`. */
  readonly to?: string | undefined;
}

/**
 * Writes down what a diagnosis put together in a ledger that does not know the conversation: a session on that ledger then
 * serves it, and `heal()` writes it to a fresh conversation. What no response proves counts as `unproven`.
 *
 * @param diagnosis one with content.
 * @returns false when the ledger knows the conversation already; nothing is written then.
 */
export async function recordDiagnosis(
  store: LedgerStore,
  diagnosis: Diagnosis,
  { to }: RecordDiagnosisOptions = {},
): Promise<boolean> {
  const ledger = new Ledger({ store, sessionId: diagnosis.conversationId, now: () => Date.now() });
  let isRecorded = false;
  await ledger.commit(({ version }) => {
    isRecorded = version === 0;
    if (!isRecorded) return [];
    return [...historySteps(diagnosis), ...(to === undefined ? [] : [{ type: 'heal' as const, to }])];
  });
  return isRecorded;
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
