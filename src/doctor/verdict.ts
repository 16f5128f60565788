import type { Finding } from '../history/compare-list.ts';
import type { DiagnosedResponse, Caveat, CaveatKind, Evidence, TimelineItem, Verdict } from './diagnosis.ts';
import { isResultKind, roleOfKind } from '../items/read-item.ts';

/** A response ID as servers make it; IDs typed as a trial are shorter. */
const RESPONSE_ID = /^resp_[\w-]{16,}$/;

/** The input of a verdict. */
export interface VerdictInput {
  readonly evidence: Evidence;
  readonly timeline: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  readonly responses: readonly DiagnosedResponse[];
  /** The ID that links a call and its result; empty when unknown. */
  readonly callIdOf: (item: TimelineItem) => string;
  /** Positions of items whose only source is an unproven list. */
  readonly unaccounted: readonly number[];
  /** The number of items that the ledger took from a list without proof. */
  readonly unproven: number;
  /** Positions of items that a ledger recorded at their time: no item is missing between two of them. */
  readonly proven: ReadonlySet<number>;
  /** Whether the given ledger does not know the conversation. */
  readonly isLedgerEmpty: boolean;
  readonly isGone: boolean;
}

/** The limits of the diagnosis. Pure. */
export function caveatsOf(input: VerdictInput): Caveat[] {
  const { evidence, responses, unaccounted, unproven, isLedgerEmpty, isGone } = input;
  const caveats: Caveat[] = [];
  const add = (kind: CaveatKind, indexes: readonly number[] = [], count = indexes.length): void => {
    caveats.push({ kind, count, indexes });
  };
  if (isGone) add('list_gone', [], 1);
  if (isLedgerEmpty) add('ledger_empty', [], 1);
  if (evidence === 'list') add('no_evidence', [], 1);
  if (evidence === 'responses' || evidence === 'ledger_and_responses') add('before_first', [], 1);
  if (unproven > 0) add('unproven', unaccounted, unproven);
  else if (evidence === 'responses' && unaccounted.length > 0) add('unaccounted', unaccounted);
  const unanswered = unansweredIn(input);
  if (unanswered.length > 0) add('unanswered', unanswered);
  const alone = loneReasoningIn(input);
  if (alone.length > 0) add('lone_reasoning', alone);
  const missing = missingIn(responses).length;
  if (missing > 0) add('response_missing', [], missing);
  const unknown = responses.filter(({ status }) => status === 'missing').length - missing;
  if (unknown > 0) add('response_unknown', [], unknown);
  return caveats;
}

/** The state of the conversation. Pure. */
export function verdictOf(
  { timeline, findings, evidence, unaccounted, unproven }: VerdictInput,
  caveats: readonly Caveat[],
): Verdict {
  const has = (kind: CaveatKind): boolean => caveats.some((caveat) => caveat.kind === kind);
  // No digest covers reasoning: a model answers without it.
  const isNowhere = timeline.some(({ sources, kind }) => sources.length === 0 && kind !== 'reasoning');
  const isCutOff = has('unanswered') && has('response_missing');
  if (isNowhere || isCutOff || has('lone_reasoning')) return 'unrecoverable';
  const isDamaged =
    findings.some(({ type }) => type !== 'foreign') ||
    timeline.some(({ status }) => status === 'pending' || status === 'removed');
  if (isDamaged) return 'repairable';
  if (evidence === 'ledger' && unproven === 0) return has('unanswered') ? 'unknown' : 'whole';
  if (evidence === 'list' || evidence === 'ledger') return 'unknown';
  return unaccounted.length > 0 || has('unanswered') ? 'unknown' : 'whole';
}

/** The number of lost items; null when none is known and there may be some. Pure. */
export function lostIn(
  { timeline }: Pick<VerdictInput, 'timeline'>,
  verdict: Verdict,
  caveats: readonly Caveat[],
): number | null {
  const lost = timeline.filter(({ status }) => status === 'lost').length;
  const isOpen = caveats.some(({ kind }) => kind === 'unanswered' || kind === 'lone_reasoning');
  return lost === 0 && (verdict === 'unknown' || isOpen) ? null : lost;
}

/** Unreadable responses that belong here: the ledger or another response names them, or the caller named them beside used ones. */
function missingIn(responses: readonly DiagnosedResponse[]): DiagnosedResponse[] {
  const isUsed = responses.some(({ status }) => status === 'used');
  return responses.filter(
    ({ id, status, from }) => status === 'missing' && (from !== 'given' || (isUsed && RESPONSE_ID.test(id))),
  );
}

/** Reasoning without an output after it: that output was lost, unless the response itself was cut off. */
function loneReasoningIn({ timeline, proven }: VerdictInput): number[] {
  const history = timeline.filter(({ index }) => index !== null);
  return history.flatMap(({ kind, index, responseId, sources }, at) => {
    if (kind !== 'reasoning' || index === null) return [];
    const next = history.slice(at + 1).find((one) => one.kind !== 'reasoning');
    if (next !== undefined && roleOfKind(next.kind) === 'output') return [];
    const isKnown = sources.some((one) => one.source === 'response' && one.responseId === responseId);
    const isProven = proven.has(index) && (next === undefined || proven.has(next.index ?? -1));
    return isKnown || isProven ? [] : [index];
  });
}

/** Messages without an answer that are not the last; calls without a result; results without a call. */
function unansweredIn({ timeline, responses, proven, callIdOf }: VerdictInput): number[] {
  const history = timeline.filter(({ index }) => index !== null);
  const isMissing = missingIn(responses).length > 0;
  const lastTurn = history.at(-1)?.turn ?? 0;
  const calls = new Map<string, number>();
  for (const item of history) {
    const id = callIdOf(item);
    if (id !== '') calls.set(id, (calls.get(id) ?? 0) + 1);
  }
  return history.flatMap((item, at) => {
    const { kind, index, turn, responseId } = item;
    const next = history[at + 1];
    if (index === null || (proven.has(index) && (next === undefined || proven.has(next.index ?? -1))))
      return [];
    const callId = callIdOf(item);
    if (callId !== '' && calls.get(callId) === 1) {
      return !isResultKind(kind) && turn === lastTurn ? [] : [index];
    }
    if (kind !== 'message:user' || next?.kind !== 'message:user') return [];
    // Two messages given to a model together have one answer; a message of another writer may have had its own.
    const isTogether = responseId === next.responseId && proven.has(index) === proven.has(next.index ?? -1);
    return isMissing || responseId === null || !isTogether ? [index] : [];
  });
}
