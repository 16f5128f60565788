import type { AgentInputItem, Model, ModelRequest } from '@openai/agents';
import { isObject } from '../ledger/json.ts';
import type { Answer, Chain, ChainView, PlannedRequest } from './chain.ts';
import { currentRun } from './current-chain.ts';
import { bytesForModel } from './for-model.ts';
import { beginningOf, plan, type Plan, type PlannableRequest } from './plan.ts';
import { extendContext, plannable } from './request.ts';
import { servedBy } from './served-histories.ts';
import { leaveAnswer } from './unclaimed-answers.ts';

/** The inputs whose parent was refused: the runner tries them again, and they are sent whole then too. */
const sentWhole = new WeakSet<object>();

/** One request to the model, from the plan to what is remembered of its answer. */
export class ModelCall {
  readonly plan: Plan;
  readonly #request: ModelRequest;
  readonly #plannable: PlannableRequest;
  readonly #chain: Chain | undefined;
  readonly #view: ChainView | undefined;
  /** The plan that only the mode is against. */
  #possible: Plan | undefined;

  private constructor(
    request: ModelRequest,
    planned: PlannableRequest,
    chain: Chain | undefined,
    view: ChainView | undefined,
  ) {
    this.#request = request;
    this.#plannable = planned;
    this.#chain = chain;
    this.#view = view;
    this.plan = this.#decide();
  }

  /** @returns undefined for a run whose session is not ours: the request is none of our business. */
  static async prepare(request: ModelRequest, model: Model): Promise<ModelCall | undefined> {
    const run = currentRun();
    if (run !== undefined && run.chain === undefined && run.around === undefined) return undefined;
    const planned = plannable(request, model);
    const chain = run?.chain ?? servedBy(planned.contexts, run?.around);
    const tell = chain?.planning();
    // A ledger that cannot be read costs the chain, not the run.
    const view = await chain?.view().catch(() => undefined);
    const call = new ModelCall(request, planned, chain, view);
    tell?.(call.#described(call.plan));
    return call;
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
  replay(why: string): ModelRequest {
    if (typeof this.#request.input === 'object') sentWhole.add(this.#request.input);
    if (this.plan.type === 'chain') this.#chain?.refused(this.plan.parent.id, why);
    this.#chain?.planning()(this.#described({ type: 'replay', reason: 'parent-refused' }));
    return this.#request;
  }

  /** Remembers a complete answer; what is not a stored kind of response is none. */
  answered(id: string | undefined, output: readonly AgentInputItem[], body: unknown, chained: boolean): void {
    const facts = isObject(body) ? body : {};
    const { obstacle, items, contexts } = this.#plannable;
    if (typeof id !== 'string' || id === '' || obstacle !== undefined) return;
    if (facts['status'] !== undefined && facts['status'] !== 'completed') return;
    // What the model class left out, the chain would still show to the model.
    if (Array.isArray(facts['output']) && facts['output'].length !== output.length) return;
    const parent = chained && this.plan.type === 'chain' ? this.plan.parent : undefined;
    const store = facts['store'] ?? this.#request.modelSettings.store ?? true;
    const answer: Answer = {
      id,
      time: Date.now(),
      store: store !== false,
      model: typeof facts['model'] === 'string' ? facts['model'] : undefined,
      parent: parent?.id,
      context: {
        length: items.length + output.length,
        digest: extendContext(contexts.at(-1) ?? '', output),
        bytes: this.#contextBytes(parent === undefined ? undefined : this.plan, output),
        ...(parent === undefined ? {} : { since: beginningOf(parent) }),
      },
      lineage: [...new Set(contexts)].flatMap((context) => this.#view?.unrecorded(context) ?? []),
    };
    if (this.#chain === undefined) leaveAnswer(answer);
    else this.#chain.answered(answer);
  }

  #decide(): Plan {
    const { input } = this.#request;
    if (typeof input === 'object' && sentWhole.has(input))
      return { type: 'replay', reason: 'parent-refused' };
    if (this.#view === undefined) return { type: 'replay', reason: 'ledger-unavailable' };
    const possible = plan(this.#plannable, this.#view);
    if (this.#view.enabled || this.#plannable.obstacle !== undefined) return possible;
    this.#possible = possible;
    return { type: 'replay', reason: 'mode' };
  }

  #described(decided: Plan): PlannedRequest {
    const { items } = this.#plannable;
    const counts = (one: Plan): Pick<PlannedRequest, 'sent' | 'savedBytes'> =>
      one.type === 'chain'
        ? { sent: one.rest.length, savedBytes: one.parent.context?.bytes ?? 0 }
        : { sent: items.length, savedBytes: 0 };
    const would = decided.reason === 'mode' ? this.#possible : undefined;
    return {
      plan: decided.type,
      reason: decided.reason,
      // What was refused is worth knowing, too.
      parentId: this.plan.type === 'chain' ? this.plan.parent.id : undefined,
      context: items.length,
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
