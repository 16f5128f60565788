import type { Finding } from '../history/finding.ts';
import type { DiagnosedResponse, Limit, LimitKind, Proof, TimelineItem, Verdict } from './diagnosis.ts';

/** What a verdict rests on. */
export interface Evidence {
  readonly proof: Proof;
  readonly timeline: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  readonly responses: readonly DiagnosedResponse[];
  /** What ties a call and its result together; empty when that is not known. */
  readonly callIdOf: (item: TimelineItem) => string;
  /** Positions of items that only an unproven list speaks for. */
  readonly unaccounted: readonly number[];
  /** How many items the ledger took from a list it knew nothing about. */
  readonly unproven: number;
  /** Whether a ledger was given that does not know the conversation. */
  readonly isLedgerEmpty: boolean;
  readonly isGone: boolean;
}

/** What could not be known. Pure. */
export function limitsOf(evidence: Evidence): Limit[] {
  const { proof, responses, unaccounted, unproven, isLedgerEmpty, isGone } = evidence;
  const limits: Limit[] = [];
  const add = (kind: LimitKind, indexes: readonly number[] = [], count = indexes.length): void => {
    limits.push({ kind, count, indexes });
  };
  if (isGone) add('list_gone', [], 1);
  if (isLedgerEmpty) add('ledger_empty', [], 1);
  if (proof === 'list') add('no_evidence', [], 1);
  if (proof === 'responses' || proof === 'ledger+responses') add('before_first', [], 1);
  if (unproven > 0) add('unproven', unaccounted, unproven);
  else if (proof === 'responses' && unaccounted.length > 0) add('unaccounted', unaccounted);
  const unanswered = proof === 'ledger' && unproven === 0 ? [] : unansweredIn(evidence);
  if (unanswered.length > 0) add('unanswered', unanswered);
  const missing = responses.filter(({ standing }) => standing === 'missing');
  if (missing.length > 0) add('response_missing', [], missing.length);
  return limits;
}

/** How the conversation is. Pure. */
export function verdictOf(
  { timeline, findings, proof, unaccounted, unproven }: Evidence,
  limits: readonly Limit[],
): Verdict {
  const has = (kind: LimitKind): boolean => limits.some((limit) => limit.kind === kind);
  // No digest covers reasoning: a model answers without it.
  const isNowhere = timeline.some(({ places, kind }) => places.length === 0 && kind !== 'reasoning');
  const isCutOff = has('unanswered') && has('response_missing');
  if (isNowhere || isCutOff) return 'beyond';
  const isDamaged =
    findings.some(({ type }) => type !== 'foreign') ||
    timeline.some(({ standing }) => standing === 'pending' || standing === 'removed');
  if (isDamaged) return 'repairable';
  if (proof === 'ledger' && unproven === 0) return 'whole';
  if (proof === 'list' || proof === 'ledger') return 'unknown';
  return unaccounted.length > 0 || has('unanswered') ? 'unknown' : 'whole';
}

/** What was said and has no answer, although more was said after it; calls without a result, and results without a call. */
function unansweredIn({ timeline, responses, callIdOf }: Evidence): number[] {
  const history = timeline.filter(({ index }) => index !== null);
  const isMissing = responses.some(({ standing }) => standing === 'missing');
  const lastTurn = history.at(-1)?.turn ?? 0;
  const calls = new Map<string, number>();
  for (const item of history) {
    const id = callIdOf(item);
    if (id !== '') calls.set(id, (calls.get(id) ?? 0) + 1);
  }
  return history.flatMap((item, at) => {
    const { kind, index, turn, responseId } = item;
    if (index === null) return [];
    const callId = callIdOf(item);
    if (callId !== '' && calls.get(callId) === 1) {
      const isCall = !/_(?:result|output|response)$/.test(kind);
      return isCall && turn === lastTurn ? [] : [index];
    }
    const next = history[at + 1];
    if (kind !== 'message:user' || next?.kind !== 'message:user') return [];
    // Two messages that a model was given together have one answer.
    return isMissing || responseId === null || responseId !== next.responseId ? [index] : [];
  });
}
