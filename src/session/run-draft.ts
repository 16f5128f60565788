import { AsyncLocalStorage } from 'node:async_hooks';
import type { AgentInputItem } from '@openai/agents';
import { continuingSteps, endOf, isSame } from '../history/interrupted.ts';
import { parseAgentItems } from '../items/parse-item.ts';
import { answeredCalls, callIdOf, resultOf } from '../items/tool-calls.ts';
import type { Draft } from '../ledger/drafts/drafts.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../ledger/record.ts';
import type { LedgerState } from '../ledger/state.ts';
import { clock } from '../util/clock.ts';

/** The runs of this process that go on. */
const live = new Set<string>();

const saving = new AsyncLocalStorage<RunDraft>();

/** The drafts whose runs do not go on, as far as this process can know. */
export function abandonedDrafts({ drafts }: Pick<LedgerState, 'drafts'>): readonly Draft[] {
  return drafts.open.filter(({ run }) => !live.has(run));
}

/** The items of one run that the history lacks, and the steps that record them. */
export class RunDraft {
  readonly run: string = globalThis.crypto.randomUUID();
  /** Whether the run goes on from the state of an earlier one, whose items the history may have as an interrupted turn. */
  readonly isResumed: boolean;
  #items: readonly LedgerItem[] = [];
  #newestResponse: string | undefined;
  #newestOutput: readonly LedgerItem[] = [];
  /** The calls whose results are those that a hook reported. */
  readonly #reported = new Set<string>();
  /** Whether the ledger has a draft of the run, as far as it is known. */
  #isRecorded = false;
  /** The number of items that the SDK's runner has saved for the run. */
  #saved = 0;
  /** The sequence number behind them. */
  #savedUntil: number | undefined;

  constructor(isResumed: boolean) {
    this.isResumed = isResumed;
    live.add(this.run);
  }

  /** The draft that the current write of the SDK's runner belongs to. */
  static saving(): RunDraft | undefined {
    return saving.getStore();
  }

  /** Attributes a write to the run. */
  save<T>(write: () => T): T {
    return saving.run(this, write);
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get hasSaved(): boolean {
    return this.#saved > 0;
  }

  get newestResponse(): string | undefined {
    return this.#newestResponse;
  }

  add(items: readonly AgentInputItem[]): void {
    this.#items = [...this.#items, ...items.map((item) => ledgerItem(item, true))];
  }

  /** Adds the output of a response. */
  addOutput(output: readonly AgentInputItem[], responseId: string | undefined): void {
    this.#newestOutput = output.map((item) => ledgerItem(item, true));
    this.#items = [...this.#items, ...this.#newestOutput];
    if (responseId !== undefined && responseId !== '') this.#newestResponse = responseId;
  }

  /** Removes the newest output: the server has answered the same request again. */
  removeNewestOutput(): void {
    const removed = new Set(this.#newestOutput);
    this.#items = this.#items.filter((item) => !removed.has(item));
  }

  /** Adds results of calls in the draft. A result in another form replaces the one that is there. */
  addResults(items: readonly AgentInputItem[]): void {
    const calls = new Set(this.#items.flatMap(({ item }) => (item === undefined ? [] : [callIdOf(item)])));
    for (const item of items) {
      const [id] = answeredCalls([item]);
      if (id === undefined || id === '' || !calls.has(id)) continue;
      this.#reported.delete(id);
      const [parsed = item] = parseAgentItems([item]);
      const result = ledgerItem(parsed, true);
      const at = this.#items.findIndex((one) => one.item !== undefined && answeredCalls([one.item]).has(id));
      if (at === -1) this.#items = [...this.#items, result];
      else if (!isSame(result, this.#items[at])) this.#items = this.#items.with(at, result);
    }
  }

  /** Adds the result that a hook reported for a function call, unless there is one. */
  addReported(callId: string, text: string): void {
    const call = this.#items.find(({ item }) => item?.type === 'function_call' && item.callId === callId);
    const isDone = this.#items.some(({ item }) => item !== undefined && answeredCalls([item]).has(callId));
    if (call?.item?.type !== 'function_call' || isDone) return;
    this.#reported.add(callId);
    this.add([resultOf(call.item, text)]);
  }

  /** Removes reported results with one of these texts: their tools did not return. @returns whether there were any. */
  removeReported(texts: ReadonlySet<string>): boolean {
    const before = this.#items.length;
    this.#items = this.#items.filter(({ item }) => {
      if (item?.type !== 'function_call_result' || !this.#reported.has(item.callId)) return true;
      const { output } = item;
      return !(
        typeof output === 'object' &&
        'type' in output &&
        output.type === 'text' &&
        texts.has(output.text)
      );
    });
    return this.#items.length < before;
  }

  /** Removes the messages and the reasoning of the newest output: a guardrail refused them. @returns whether there were any. */
  removeNewestAnswer(): boolean {
    const last = this.#items.findLastIndex(
      ({ kind }) => kind !== 'message:assistant' && kind !== 'reasoning',
    );
    const isChanged = last < this.#items.length - 1;
    this.#items = this.#items.slice(0, last + 1);
    return isChanged;
  }

  /** The steps that record the difference between the draft and the ledger's. */
  steps(state: LedgerState, responses: readonly LedgerStep[]): LedgerStep[] {
    // It is not begun again: another process has made entries of it, or the session was cleared.
    if (this.isGone(state)) return [];
    const known = this.#draftIn(state);
    const newer = responsesOf(responses).filter(
      ({ id }) => known?.responses.every((one) => one.id !== id) ?? true,
    );
    const items = this.#items;
    const kept = known?.items ?? [];
    const differs = items.findIndex((item, index) => !isSame(item, kept[index]));
    const keep = differs === -1 ? items.length : differs;
    if (keep === items.length && kept.length === keep && newer.length === 0) return [];
    if (known === undefined && items.length === 0) return [];
    return [{ type: 'draft', run: this.run, keep, items: items.slice(keep), responses: newer }];
  }

  /** The steps are in the ledger. */
  recorded(state: LedgerState): void {
    this.#isRecorded ||= this.#draftIn(state) !== undefined;
  }

  /** The draft, with the responses that the ledger lacks. */
  whole(state: LedgerState, responses: readonly LedgerStep[]): Draft {
    const known = this.#draftIn(state)?.responses ?? [];
    const newer = responsesOf(responses).filter(({ id }) => known.every((one) => one.id !== id));
    return { run: this.run, items: this.#items, responses: [...known, ...newer] };
  }

  /** How many of the newest entries the SDK's runner has saved for the run. */
  savedAtEnd({ nextSeq }: LedgerState): number {
    return this.#savedUntil === nextSeq ? this.#saved : 0;
  }

  /** Whether the ledger has settled or cleared the draft, so that earlier entries have to be known before the run is saved. */
  isGone(state: LedgerState): boolean {
    return this.#isRecorded && this.#draftIn(state) === undefined;
  }

  /** Whether saved items leave out an item of the draft, which is then to be forgotten. */
  differsFrom(saved: readonly LedgerItem[]): boolean {
    if (saved[0]?.kind === 'compaction') return false;
    const left = new Set(saved.map(({ digest }) => digest));
    return this.#items.some(({ digest }) => digest !== null && !left.has(digest)) && !this.#isRest(saved);
  }

  /** The steps that append items of the run behind an interrupted turn; undefined if the history has none of it. */
  continuing(state: LedgerState, items: readonly LedgerItem[]): LedgerStep[] | undefined {
    if (!this.isResumed && !this.isGone(state)) return undefined;
    return continuingSteps(state, { items, run: this.continuedRun });
  }

  /** The run that the history may have as an interrupted turn; undefined for a resumed one, whose earlier part had another name. */
  get continuedRun(): string | undefined {
    return this.isResumed ? undefined : this.run;
  }

  /** The steps that take saved items out of the draft, and end the drafts of an earlier try to resume the same run. */
  savedSteps(state: LedgerState, saved: readonly LedgerItem[]): LedgerStep[] {
    const rest = this.#restAfter(saved);
    const known = this.#draftIn(state);
    const own: LedgerStep[] =
      rest.length > 0
        ? [{ type: 'draft', run: this.run, keep: 0, items: [...rest], responses: [] }]
        : known === undefined
          ? []
          : [endOf(this.run, this.differsFrom(saved) ? { forgotten: true } : {})];
    return [...own, ...(this.isResumed ? supersededBy(saved, state) : [])];
  }

  /** The SDK's runner has saved items of the run. */
  saved(items: readonly LedgerItem[], { nextSeq }: LedgerState): void {
    const before = this.#savedUntil === nextSeq - items.length ? this.#saved : 0;
    this.#saved = before + items.length;
    this.#savedUntil = nextSeq;
    this.#items = this.#restAfter(items);
    this.#isRecorded = this.#items.length > 0;
  }

  /** The draft without content that is not to be recorded. */
  clear(): void {
    this.#items = [];
  }

  /** The run does not go on in this process. */
  close(): void {
    live.delete(this.run);
  }

  /** The items of the draft behind saved ones; none if they are not its first ones. */
  #restAfter(saved: readonly LedgerItem[]): readonly LedgerItem[] {
    return this.#isRest(saved) ? this.#items.slice(saved.length) : [];
  }

  #isRest(saved: readonly LedgerItem[]): boolean {
    return (
      saved.length <= this.#items.length && saved.every((item, index) => isSame(item, this.#items[index]))
    );
  }

  #draftIn({ drafts }: LedgerState): Draft | undefined {
    return drafts.open.find(({ run }) => run === this.run);
  }
}

/** Ends abandoned drafts of an earlier try to resume a run: they answer the same calls, or begin with the same item. */
function supersededBy(saved: readonly LedgerItem[], state: LedgerState): LedgerStep[] {
  const ids = new Set(idsOf(saved));
  return abandonedDrafts(state)
    .filter(({ items: [first, ...others] }) => {
      if (first === undefined) return true;
      return isSame(first, saved[0]) || idsOf([first, ...others]).some((id) => ids.has(id));
    })
    .map(({ run }) => endOf(run, { forgotten: true }));
}

function idsOf(items: readonly LedgerItem[]): string[] {
  return items.flatMap(({ item }) => (item === undefined ? [] : callIdOf(item))).filter((id) => id !== '');
}

function responsesOf(steps: readonly LedgerStep[]): Draft['responses'][number][] {
  return steps.flatMap((step) => {
    if (step.type !== 'response') return [];
    const { type: _type, time = clock.now(), ...response } = step;
    return [{ ...response, time }];
  });
}
