import { answerOpenCalls, answeredCalls, type InterruptedCalls } from '../items/tool-calls.ts';
import type { Draft, InterruptedTurn } from '../ledger/drafts/drafts.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../ledger/record.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';

/** The interrupted turn that an entry belongs to; undefined if its run came to its end. */
export function interruptionAt(
  { drafts }: Pick<LedgerState, 'drafts'>,
  seq: number,
): InterruptedTurn | undefined {
  return turnAt(drafts.interrupted, seq);
}

function turnAt(turns: readonly InterruptedTurn[], seq: number): InterruptedTurn | undefined {
  return turns.find(({ from, until }) => from <= seq && seq < until);
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

/** The items of a draft, in which every call has a result. The last ones are made up. */
function answeredItems(
  { items }: Draft,
  calls: InterruptedCalls,
): { readonly entries: readonly LedgerItem[]; readonly made: number; readonly isShorter: boolean } {
  const contents = items.flatMap(({ item }) => item ?? []);
  const answered = answerOpenCalls(contents, calls);
  return {
    entries: [...answered.items, ...answered.made].map((item) => ledgerItem(item, true)),
    made: answered.made.length,
    isShorter: answered.items.length < contents.length,
  };
}

/** The steps that make entries of a draft whose run does not go on. The history holds only calls with a result. */
export function settlingSteps(
  draft: Draft,
  state: LedgerState,
  { reason, calls, saved, isForgotten = false }: Interruption,
): LedgerStep[] {
  const { run, responses } = draft;
  const { entries, made, isShorter } = answeredItems(draft, calls);
  const interrupted = { reason, items: saved + entries.length, made };
  const forgotten = isForgotten || isShorter;
  return [
    ...(entries.length === 0 ? [] : [{ type: 'items' as const, items: [...entries] }]),
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
export function continuingSteps(state: LedgerState, continued: ContinuedRun): LedgerStep[] | undefined {
  const found = continuationOf(state, continued);
  return found && stepsOf(found);
}

/** The same for the draft of a run that was interrupted after another process had settled it. */
export function resettlingSteps(
  draft: Draft,
  state: LedgerState,
  { run, reason, calls }: Pick<Interruption, 'reason' | 'calls'> & Pick<ContinuedRun, 'run'>,
): LedgerStep[] {
  const { entries, made } = answeredItems(draft, calls);
  const found = continuationOf(state, { items: entries, run });
  if (found === undefined) return [];
  const [first] = found.turns;
  if (first === undefined) return stepsOf(found);
  const added = found.appended.flatMap(({ items }) => items.filter((item) => !('seq' in item)));
  const interrupted = { reason, items: state.nextSeq + added.length - first.from, made };
  return [...stepsOf(found), endOf(draft.run, { interrupted })];
}

interface Continuation {
  readonly appended: Extract<LedgerStep, { type: 'items' | 'replace' }>[];
  /** The interrupted turns that go on; none if other turns followed. */
  readonly turns: readonly InterruptedTurn[];
}

function stepsOf({ appended, turns }: Continuation): LedgerStep[] {
  return [...appended, ...turns.map(({ run }) => endOf(run))];
}

function continuationOf(state: LedgerState, { items, run }: ContinuedRun): Continuation | undefined {
  const { interrupted } = state.drafts;
  const first = interrupted.findIndex((turn) => {
    if (run !== undefined) return turn.run === run;
    const { real, made } = partsOf(state, [turn]);
    const [begin] = items;
    return real.some((entry) => isEqual(entry, begin)) || isAnswered(made, items);
  });
  if (first === -1) return undefined;
  const turns = run === undefined ? adjacent(interrupted.slice(first)) : interrupted.slice(first, first + 1);
  const { entries, real, made } = partsOf(state, turns);
  const rest = without(real, items);
  if (entries.at(-1) !== state.entries.at(-1)) {
    const done = callsAnsweredBy(entries);
    const left = rest.filter((item) => [...callsAnsweredBy([item])].every((id) => !done.has(id)));
    return { appended: left.length === 0 ? [] : [{ type: 'items', items: left }], turns: [] };
  }
  const kept = entries.filter((entry) => !(made.includes(entry) && isAnswered([entry], rest)));
  const at = state.entries.length - entries.length;
  const appended: Continuation['appended'][number] =
    kept.length === entries.length
      ? { type: 'items', items: rest }
      : { type: 'replace', keep: at, items: [...kept.map(({ seq }) => ({ seq })), ...rest] };
  return { appended: rest.length === 0 ? [] : [appended], turns };
}

/** The first turns without entries of others between them: a run that was resumed more than once. */
function adjacent(turns: readonly InterruptedTurn[]): readonly InterruptedTurn[] {
  const end = turns.findIndex((turn, index) => index > 0 && turn.from !== turns[index - 1]?.until);
  return end === -1 ? turns : turns.slice(0, end);
}

/** The entries of turns: real ones, and results that stand for missing ones. */
function partsOf(
  state: LedgerState,
  turns: readonly InterruptedTurn[],
): Readonly<Record<'entries' | 'real' | 'made', readonly LedgerEntry[]>> {
  const parts: Record<'entries' | 'real' | 'made', LedgerEntry[]> = { entries: [], real: [], made: [] };
  for (const entry of state.entries) {
    const { seq } = entry;
    const turn = turnAt(turns, seq);
    if (turn === undefined) continue;
    parts.entries.push(entry);
    (seq >= turn.until - turn.made ? parts.made : parts.real).push(entry);
  }
  return parts;
}

/** The items that are not among the entries, which have them in the same order. */
function without(entries: readonly LedgerEntry[], items: readonly LedgerItem[]): LedgerItem[] {
  let from = 0;
  return items.filter((item) => {
    const at = entries.findIndex((entry, index) => index >= from && isEqual(entry, item));
    if (at !== -1) from = at + 1;
    return at === -1;
  });
}

/** Whether an item is an entry. Reasoning has no digest, but an ID. */
function isEqual(entry: LedgerEntry, item: LedgerItem | undefined): boolean {
  return isSame(entry, item) && (entry.digest !== null || entry.id === item?.id);
}

/** Whether items answer one of the calls that entries answer. */
function isAnswered(entries: readonly LedgerEntry[], items: readonly LedgerItem[]): boolean {
  const answered = callsAnsweredBy(items);
  return [...callsAnsweredBy(entries)].some((id) => answered.has(id));
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
