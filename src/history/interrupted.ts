import { answerOpenCalls, answeredCalls, callIdOf, type InterruptedCalls } from '../items/tool-calls.ts';
import type { Draft, InterruptedTurn } from '../ledger/drafts/drafts.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../ledger/record.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';

/** The interrupted turn that an entry belongs to; undefined if its run came to its end. */
export function interruptionAt(
  { drafts }: Pick<LedgerState, 'drafts'>,
  seq: number,
): InterruptedTurn | undefined {
  return drafts.interrupted.find(({ from, until }) => from <= seq && seq < until);
}

/** The way in which a run was interrupted. */
export interface Interruption {
  readonly reason: string;
  readonly calls: InterruptedCalls;
  /** How many of the newest entries belong to the run already. */
  readonly saved: number;
  /** Whether the log is to be rewritten without the draft. It is also rewritten if a call is left out. */
  readonly isForgotten?: boolean;
}

/** The steps that make entries of a draft whose run does not go on. The history holds only calls with a result. */
export function settlingSteps(
  { run, items, responses }: Draft,
  state: LedgerState,
  { reason, calls, saved, isForgotten = false }: Interruption,
): LedgerStep[] {
  const contents = items.flatMap(({ item }) => item ?? []);
  const answered = answerOpenCalls(contents, calls);
  const entries = [...answered.items, ...answered.made].map((item) => ledgerItem(item, true));
  const interrupted = { reason, items: saved + entries.length, made: answered.made.length };
  const forgotten = isForgotten || answered.items.length < contents.length;
  return [
    ...(entries.length === 0 ? [] : [{ type: 'items' as const, items: entries }]),
    ...responses
      .filter(({ id }) => !state.recorded.has(id))
      .map((response) => ({ ...response, type: 'response' as const })),
    endOf(run, { ...(forgotten ? { forgotten } : {}), interrupted }),
  ];
}

/** The step that ends a draft. */
export function endOf(
  run: string,
  end: Partial<Pick<Extract<LedgerStep, { type: 'draft' }>, 'forgotten' | 'interrupted'>> = {},
): LedgerStep {
  return { type: 'draft', run, keep: 0, items: [], responses: [], ended: true, ...end };
}

/** Appended items, and the run that they belong to. */
export interface ContinuedRun {
  readonly items: readonly LedgerItem[];
  /** The run; undefined for a resumed one, whose earlier part had another name. */
  readonly run: string | undefined;
}

/**
 * The steps that append items of a run of which the history has a part as an interrupted turn: only the items that are not there.
 * If the turn is the newest, real results replace those that stand for missing ones; otherwise no call gets a second result.
 *
 * @returns undefined if the history has no part of the run.
 */
export function continuingSteps(state: LedgerState, { items, run }: ContinuedRun): LedgerStep[] | undefined {
  const { interrupted } = state.drafts;
  for (const turn of interrupted.toReversed()) {
    if (run !== undefined && turn.run !== run) continue;
    const entries = state.entries.filter(({ seq }) => turn.from <= seq && seq < turn.until);
    const real = entries.filter(({ seq }) => seq < turn.until - turn.made);
    const made = entries.slice(real.length);
    const rest = items.slice(overlap(real, items));
    const answered = callsAnsweredBy(rest);
    const isAnswered = (entry: LedgerEntry): boolean =>
      entry.item !== undefined && answered.has(callIdOf(entry.item));
    if (rest.length === items.length && !made.some((entry) => isAnswered(entry))) continue;
    if (entries.at(-1)?.seq !== state.entries.at(-1)?.seq) {
      const done = callsAnsweredBy(entries);
      const left = rest.filter((item) => [...callsAnsweredBy([item])].every((id) => !done.has(id)));
      return left.length === 0 ? [] : [{ type: 'items', items: left }];
    }
    const kept = [...real, ...made.filter((entry) => !isAnswered(entry))];
    const first = entries[0];
    const keep = first === undefined ? state.entries.length : state.entries.indexOf(first);
    const appended: LedgerStep =
      kept.length === entries.length
        ? { type: 'items', items: [...rest] }
        : { type: 'replace', keep, items: [...kept.map(({ seq }) => ({ seq })), ...rest] };
    return [...(rest.length === 0 ? [] : [appended]), endOf(turn.run)];
  }
  return undefined;
}

/** How many of the first items are the last entries. */
function overlap(entries: readonly LedgerEntry[], items: readonly LedgerItem[]): number {
  for (let count = Math.min(entries.length, items.length); count > 0; count -= 1) {
    const last = entries.slice(-count);
    if (last.every((entry, index) => isSame(entry, items[index]))) return count;
  }
  return 0;
}

/** Whether two items are equal for a model; reasoning has no digest and counts as equal. */
export function isSame(
  one: Pick<LedgerItem, 'kind' | 'digest'>,
  other: Pick<LedgerItem, 'kind' | 'digest'> | undefined,
): boolean {
  return one.kind === other?.kind && one.digest === other.digest;
}

function callsAnsweredBy(items: readonly Pick<LedgerItem, 'item'>[]): Set<string> {
  return answeredCalls(items.flatMap(({ item }) => item ?? []));
}
