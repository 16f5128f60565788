import type { AgentInputItem, Session } from '@openai/agents';
import { historyReferenceOf } from '../chaining/history-reference.ts';
import type { RecordOptions, RunEnd, RunRecorder } from '../chaining/port.ts';
import { InvalidOptionsError } from '../errors/options.ts';
import { itemDigest } from '../items/digest.ts';
import { parseAgentItems } from '../items/parse-item.ts';
import { endOf } from '../history/interrupted.ts';
import type { LedgerStep } from '../ledger/record.ts';
import type { LedgerState } from '../ledger/state.ts';
import { rulesOf } from '../rollout/mode.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { sessionWith } from '../util/with-overrides.ts';
import { RunDraft } from './run-draft.ts';
import { responseSteps, settleRun } from './settle-drafts.ts';

/** The SDK reports this as the result of a tool that was cancelled. */
const ABORTED = 'aborted';

/**
 * Begins to record a run.
 *
 * @throws InvalidOptionsError if the ledger keeps no content: it could not give the items back.
 */
export function recordRun(runtime: SessionRuntime, options: RecordOptions): RunRecorder {
  if (!runtime.options.keepContent) {
    const problem = "is 'as-it-goes', which needs a session that keeps content: leave out keepContent: false";
    throw new InvalidOptionsError('record', problem, { subject: 'the run' });
  }
  return new SessionRunRecorder(runtime, options);
}

/** Records the items of a run in the ledger as soon as they are known. */
class SessionRunRecorder implements RunRecorder {
  readonly #runtime: SessionRuntime;
  readonly #options: RecordOptions;
  #draft: RunDraft | undefined;
  #given: readonly AgentInputItem[] = [];
  /** The history that the run has read. */
  #served: readonly AgentInputItem[] = [];
  #isAsked = false;
  /** Whether a request has no answer yet. */
  #isWaiting = false;

  constructor(runtime: SessionRuntime, options: RecordOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  begin(given: string | readonly AgentInputItem[] | undefined): void {
    this.#draft = new RunDraft(given === undefined);
    this.#given =
      typeof given === 'string' ? [{ type: 'message', role: 'user', content: given }] : (given ?? []);
  }

  bind(session: Session): Session {
    const save = <T>(write: () => T): T => this.#draft?.save(write) ?? write();
    const addItems: Session['addItems'] = (items) => save(() => session.addItems(items));
    const getItems: Session['getItems'] = async (...args) => {
      const items = await session.getItems(...args);
      if (!this.#isAsked) this.#served = items;
      return items;
    };
    const own: Record<string, unknown> = { addItems, getItems };
    for (const name of ['applyHistoryTransaction', 'replaceHistoryWithCompaction']) {
      const method: unknown = Reflect.get(session, name);
      if (typeof method !== 'function') continue;
      own[name] = (...args: unknown[]): unknown => save(() => Reflect.apply(method, session, args));
    }
    return sessionWith(session, own);
  }

  async asked(input: string | readonly AgentInputItem[]): Promise<void> {
    const draft = this.#draft;
    if (draft === undefined) return;
    const items = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input;
    if (this.#isAsked) draft.addResults(items);
    // The SDK's runner saves the input of a streamed run itself, and a resumed one has none.
    else if (!draft.isResumed && !draft.hasSaved) draft.add(parseAgentItems(this.#newIn(items)));
    this.#isAsked = true;
    await this.#write(draft);
    this.#isWaiting = true;
  }

  async answered(output: readonly AgentInputItem[], responseId: string | undefined): Promise<void> {
    const isFirst = this.#isWaiting;
    this.#isWaiting = false;
    if (this.#draft === undefined) return;
    // The SDK's runner takes the last of several answers in one stream.
    if (!isFirst) this.#draft.removeNewestOutput();
    this.#draft.addOutput(parseAgentItems(output), responseId);
    await this.#write(this.#draft);
  }

  executed(callId: string, result: string): void {
    const draft = this.#draft;
    if (draft === undefined) return;
    draft.addReported(callId, result);
    // The next request, or the end of the run, records it if this write fails.
    void this.#write(draft).catch(() => undefined);
  }

  async end({ type, reason, failure }: RunEnd): Promise<void> {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined) return;
    try {
      if (type === 'interrupted') {
        // An answer that a guardrail refused is not shown to a model again.
        const isRefused = reason === 'guardrail' && draft.removeNewestAnswer();
        const isForgotten = draft.removeReported(new Set([failure ?? ABORTED, ABORTED])) || isRefused;
        const { interruptedCalls: calls } = this.#options;
        const why = reason ?? (this.#isWaiting ? 'model' : 'error');
        await settleRun(this.#runtime, draft, { reason: why, calls, isForgotten });
      } else if (type !== 'paused') await this.#forget(draft);
    } catch {
      // The draft stays in the ledger, and the next run settles it.
    } finally {
      draft.close();
    }
  }

  /** Ends a draft whose items are not saved. */
  async #forget(draft: RunDraft): Promise<void> {
    if (draft.isEmpty) return;
    draft.clear();
    await this.#runtime.runIfBegun(async ({ ledger }) => {
      await ledger.append(({ drafts }) =>
        drafts.open.some(({ run }) => run === draft.run) ? [endOf(draft.run, { forgotten: true })] : [],
      );
    });
  }

  /** Records the draft, unless the mode serves the conversation's list. */
  async #write(draft: RunDraft): Promise<void> {
    const runtime = this.#runtime;
    await runtime.run(
      async ({ ledger, history }, mode) => {
        if (rulesOf(mode).serves === 'list') return;
        await history.open(mode);
        const decide = (state: LedgerState): LedgerStep[] =>
          draft.steps(state, responseSteps(runtime, draft, state));
        draft.recorded(await ledger.append(decide, { scope: 'tail' }));
      },
      // The first record of a session without a name needs the name.
      { writes: runtime.sessionId === undefined },
    );
  }

  /** The items of the first request that are not of the history. */
  #newIn(input: readonly AgentInputItem[]): readonly AgentInputItem[] {
    if (!this.#options.isFiltered) return this.#given;
    const served = this.#served.map((item) => itemDigest(item));
    let from = 0;
    const added = input.filter((item) => {
      if (historyReferenceOf(item) !== undefined) return false;
      const at = served.indexOf(itemDigest(item), from);
      if (at !== -1) from = at + 1;
      return at === -1;
    });
    return added.length === 0 ? input.slice(-this.#given.length) : added;
  }
}
