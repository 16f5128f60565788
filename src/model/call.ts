import type { AgentInputItem, Model, ModelRequest } from '@openai/agents';
import { HistoryAnchorError } from '../errors/history-anchor-error.ts';
import { isObject } from '../ledger/json.ts';
import { anchorOf } from './anchor.ts';
import type { Answer, Chain, ChainView, PlannedRequest } from './chain.ts';
import { currentRun } from './current-chain.ts';
import { bytesForModel } from './for-model.ts';
import { beginningOf, plan, type Plan, type PlannableRequest } from './plan.ts';
import { extendContext, plannable } from './request.ts';
import { servedBy } from './served-histories.ts';
import { openCalls } from './tool-calls.ts';
import { leaveAnswer } from './unclaimed-answers.ts';

/** The inputs whose parent was refused: the runner tries them again, and they are sent whole then too. */
const sentWhole = new WeakSet<object>();

/** One request to the model, from the plan to what is remembered of its answer. */
export class ModelCall {
  readonly plan: Plan;
  readonly #request: ModelRequest;
  readonly #key: ModelRequest['input'];
  readonly #plannable: PlannableRequest;
  readonly #chain: Chain | undefined;
  readonly #view: ChainView | undefined;
  /** The plan that only the mode is against. */
  #possible: Plan | undefined;

  /** @param key the input as the runner gave it. */
  private constructor(
    request: ModelRequest,
    key: ModelRequest['input'],
    model: Model,
    chain: Chain | undefined,
    view: ChainView | undefined,
  ) {
    this.#request = request;
    this.#key = key;
    this.#plannable = plannable(request, model);
    this.#chain = chain;
    this.#view = view;
    this.plan = this.#decide();
  }

  /** @returns undefined for a run whose session is not ours: the request is none of our business. */
  static async prepare(request: ModelRequest, model: Model): Promise<ModelCall | undefined> {
    const run = currentRun();
    const { anchor, contexts } = plannable(request, model);
    if (anchor !== undefined && run?.chain === undefined)
      throw new HistoryAnchorError(anchor.sessionId, 'no-session');
    if (run !== undefined && run.chain === undefined && run.around === undefined) return undefined;
    const chain = run?.chain ?? servedBy(contexts, run?.around);
    const tell = chain?.planning();
    const call = await ModelCall.#of(request, request.input, model, chain);
    tell?.(call.#described(call.plan));
    return call;
  }

  /** What an anchor stands for is read when it has to be sent. */
  static async #of(
    request: ModelRequest,
    key: ModelRequest['input'],
    model: Model,
    chain: Chain | undefined,
  ): Promise<ModelCall> {
    const isAnchored = typeof request.input === 'object' && anchorOf(request.input[0]) !== undefined;
    // A ledger that cannot be read costs the chain, not the run.
    const view = await chain?.view(isAnchored ? 'tip' : 'whole').catch(() => undefined);
    const call = new ModelCall(request, key, model, chain, view);
    if (!isAnchored || call.plan.type === 'chain') return call;
    return ModelCall.#of(await call.#whole(), key, model, chain);
  }

  /** The request as it is sent, with the plan carried out. */
  get request(): ModelRequest {
    if (this.plan.type === 'replay') return this.#request;
    return {
      ...this.#request,
      previousResponseId: this.plan.parent.id,
      input: [...this.plan.rest],
    };
  }

  /** The parent was refused: everything is sent now. */
  async replay(why: string): Promise<ModelRequest> {
    if (typeof this.#key === 'object') sentWhole.add(this.#key);
    if (this.plan.type === 'chain') this.#chain?.refused(this.plan.parent.id, why);
    const tell = this.#chain?.planning();
    const whole = await this.#whole();
    tell?.(this.#described({ type: 'replay', reason: 'parent-refused' }));
    return whole;
  }

  /** Remembers a complete answer; what is not a stored kind of response is none. */
  answered(id: string | undefined, output: readonly AgentInputItem[], body: unknown, chained: boolean): void {
    const facts = isObject(body) ? body : {};
    const { anchor, obstacle, items, contexts } = this.#plannable;
    if (typeof id !== 'string' || id === '' || obstacle !== undefined) return;
    if (facts['status'] !== undefined && facts['status'] !== 'completed') return;
    // What the model class left out, the chain would still show to the model.
    if (Array.isArray(facts['output']) && facts['output'].length !== output.length) return;
    const parent = chained && this.plan.type === 'chain' ? this.plan.parent : undefined;
    const open = [...openCalls(output)];
    const store = facts['store'] ?? this.#request.modelSettings.store ?? true;
    const answer: Answer = {
      id,
      time: Date.now(),
      store: store !== false,
      model: typeof facts['model'] === 'string' ? facts['model'] : undefined,
      parent: parent?.id,
      context: {
        length: (anchor?.length ?? 0) + items.length + output.length,
        digest: extendContext(contexts.at(-1) ?? '', output),
        bytes: this.#contextBytes(chained || anchor !== undefined ? this.plan : undefined, output),
        ...(parent === undefined ? {} : { since: beginningOf(parent) }),
        ...(open.length === 0 ? {} : { open }),
      },
      lineage: [...new Set(contexts)].flatMap((context) => this.#view?.unrecorded(context) ?? []),
    };
    if (this.#chain === undefined) leaveAnswer(answer);
    else this.#chain.answered(answer);
  }

  #decide(): Plan {
    if (typeof this.#key === 'object' && sentWhole.has(this.#key))
      return { type: 'replay', reason: 'parent-refused' };
    if (this.#view === undefined) return { type: 'replay', reason: 'ledger-unavailable' };
    const possible = plan(this.#plannable, this.#view);
    if (this.#view.enabled || this.#plannable.obstacle !== undefined) return possible;
    this.#possible = possible;
    return { type: 'replay', reason: 'mode' };
  }

  /** The request with what its anchor stands for. */
  async #whole(): Promise<ModelRequest> {
    const { anchor, items } = this.#plannable;
    if (anchor === undefined || this.#chain === undefined) return this.#request;
    return { ...this.#request, input: [...(await this.#chain.history.expand(anchor)), ...items] };
  }

  #described(decided: Plan): PlannedRequest {
    const context = (this.#plannable.anchor?.length ?? 0) + this.#plannable.items.length;
    const counts = (one: Plan): Pick<PlannedRequest, 'sent' | 'savedBytes'> =>
      one.type === 'chain'
        ? { sent: one.rest.length, savedBytes: one.parent.context?.bytes ?? 0 }
        : { sent: context, savedBytes: 0 };
    const would = decided.reason === 'mode' ? this.#possible : undefined;
    return {
      plan: decided.type,
      reason: decided.reason,
      // What was refused is worth knowing, too.
      parentId: this.plan.type === 'chain' ? this.plan.parent.id : undefined,
      context,
      ...counts(decided),
      would: would && { plan: would.type, reason: would.reason, ...counts(would) },
    };
  }

  /** What the context takes that an answer ends; undefined where the parent's is not known. */
  #contextBytes(chained: Plan | undefined, output: readonly AgentInputItem[]): number | undefined {
    const before = chained?.type === 'chain' ? chained.parent.context?.bytes : 0;
    if (before === undefined) return undefined;
    const shown = chained?.type === 'chain' ? chained.rest : this.#plannable.items;
    return before + bytesForModel(shown) + bytesForModel(output);
  }
}
