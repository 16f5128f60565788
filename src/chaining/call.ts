import type { Model, ModelRequest } from '@openai/agents';
import { HistoryReferenceError } from '../errors/session.ts';
import { isObject } from '../util/json.ts';
import { clock } from '../util/clock.ts';
import type { ChainingPort, ChainView, ModelWarning, Parent, PlannedRequest } from './port.ts';
import { completedResponse, isStored, type ReceivedResponse } from './completed-response.ts';
import { currentRun, sessionForRequest, keepUnattributedResponse } from './attribution.ts';
import { mendInput, type InputRefusal } from './input-refusal.ts';
import { consequencesOf } from './parent-refusal.ts';
import {
  clientOf,
  MAX_FAILURES,
  MAX_UNANSWERED,
  type ModelServer,
  type ResponseIds,
  responseIdsOf,
  serverOf,
  servers,
} from './server.ts';
import { describePlan, plan, type Plan, type PlannableRequest } from './plan.ts';
import { idOf } from '../items/read-item.ts';
import { hasReasoning } from '../items/reasoning.ts';
import { isRunnersRetry, mayRunTools, ofView, plannable } from './request.ts';
import { SentInput } from './sent-input.ts';

/** Inputs whose parent was refused: the runner's retries also send them in full. */
const sentWhole = new WeakSet<object>();

/** The server answered a chained request without its parent's context. */
export class ParentIgnored extends Error {}

/** The session of a request. */
interface Owner {
  readonly port: ChainingPort | undefined;
  /** Whether the session was inferred from the history, not set by the run. */
  readonly isGuess: boolean;
}

/** Facts about a request that stay the same in every form of it. */
interface CallFacts {
  /** The input object of the runner. */
  readonly key: ModelRequest['input'];
  readonly model: Model;
  readonly server: ModelServer;
  readonly owner: Owner;
}

/** One request to the model, from its plan to the record of its response. */
export class ModelCall {
  readonly plan: Plan;
  /** The causes of repairs so far. */
  readonly mended = new Set<string>();
  #sent: { readonly request: ModelRequest; readonly chained: boolean };
  /** Whether the response continues from the parent. */
  #isConfirmed = false;
  readonly #input: SentInput;
  #request: ModelRequest;
  readonly #key: ModelRequest['input'];
  readonly #model: Model;
  readonly #server: ModelServer;
  readonly #ids: ResponseIds;
  #plannable: PlannableRequest;
  readonly #owner: Owner;
  readonly #view: ChainView | undefined;
  /** The plan that mode `chain` would use. */
  #possible: Plan | undefined;
  /** Whether everything is sent because requests that continued from the parent got no answer. */
  #isAfterSilence = false;

  private constructor(
    request: ModelRequest,
    parts: PlannableRequest,
    { key, model, server, owner }: CallFacts,
    view: ChainView | undefined,
  ) {
    this.#request = request;
    this.#key = key;
    this.#model = model;
    this.#server = server;
    this.#ids = responseIdsOf(model);
    this.#plannable = parts;
    this.#owner = owner;
    this.#view = view;
    this.#input = new SentInput(model, {
      isOfSession: owner.port !== undefined,
      isStock: view?.isStock === true,
    });
    servers.learn(server, view?.newest, this.#now);
    this.plan = this.#decide();
    this.#sent = this.#planned();
  }

  /**
   * Plans a request.
   *
   * @returns undefined if the run has no `HybridSession`: its request passes through unchanged.
   * @throws HistoryReferenceError if the request holds a history reference and its run has no session.
   */
  static async prepare(request: ModelRequest, model: Model): Promise<ModelCall | undefined> {
    const run = currentRun();
    const server = serverOf(model);
    const parts = plannable(request, model, server);
    const { reference, items, contexts } = parts;
    if (reference !== undefined && run?.port === undefined)
      throw new HistoryReferenceError(reference.sessionId, 'no_session');
    if (run !== undefined && run.port === undefined && run.around === undefined) return undefined;
    const port = run?.port ?? sessionForRequest({ items, contexts, client: clientOf(model) }, run?.around);
    const report = port?.planning();
    const owner = { port, isGuess: run?.port === undefined };
    const call = await ModelCall.#of(request, parts, { key: request.input, model, server, owner });
    report?.(call.#described(call.plan));
    return call;
  }

  /** A chained request needs no history; otherwise the reference is expanded. */
  static async #of(request: ModelRequest, parts: PlannableRequest, facts: CallFacts): Promise<ModelCall> {
    const { model, server, owner } = facts;
    const { reference } = parts;
    // An unreadable ledger prevents chaining, but not the run.
    const view = await owner.port?.view(reference === undefined ? 'all' : 'tail').catch(() => undefined);
    const shown = ofView(request, view);
    // A long history takes milliseconds to digest.
    const call = new ModelCall(
      shown,
      shown === request ? parts : plannable(shown, model, server),
      facts,
      view,
    );
    if (reference === undefined) return call;
    if (call.plan.type === 'chain' && view?.isReplaced(reference.digest) !== true) return call;
    const whole = await call.#whole();
    return ModelCall.#of(whole, plannable(whole, model, server), facts);
  }

  /** The request to send, planned and repaired. */
  get request(): ModelRequest {
    return this.#sent.request;
  }

  /** The response that the request continues from. */
  get parentId(): string | undefined {
    return this.#sent.chained && this.plan.type === 'chain' ? this.plan.parent.id : undefined;
  }

  /** Whether the response named its parent. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Whether the caller aborted the request. */
  get isAborted(): boolean {
    return this.#request.signal?.aborted === true;
  }

  /** Whether to confirm the parent before the server runs a hosted tool, because this server is not known to continue. */
  get isTrial(): boolean {
    if (!this.#sent.chained || this.plan.type !== 'chain' || !mayRunTools(this.#request)) return false;
    const known = servers.continues(this.#server);
    if (known !== undefined) return !known;
    const { model, context } = this.plan.parent;
    // A confirmed response of the same model: its own parent proves that the server continues.
    const isShown = context?.since !== undefined && model?.startsWith(this.#server.model) === true;
    return !this.#server.isOfficial && !isShown;
  }

  /** @throws ParentIgnored if the response to a chained request names no parent or another one, or has the parent's ID. */
  confirm(body: unknown): void {
    if (!this.#sent.chained || this.#isConfirmed) return;
    const { previous_response_id: named, id } = isObject(body) ? body : {};
    const isNamed = named !== undefined && named !== null && named !== '';
    // A gateway may rewrite the ID, so any ID counts but that of another response: a cache may keep its answers.
    const isOther = named !== this.parentId && this.#ids.isKnown(named);
    if (!isNamed || isOther || id === this.parentId) throw new ParentIgnored('The parent was ignored');
    this.#isConfirmed = true;
  }

  /** Whether the input is prepared for the Responses API and repaired after a refusal. */
  get isPrepared(): boolean {
    return this.#input.isPrepared;
  }

  /** Whether the request holds a parent or reasoning, which servers may refuse. */
  get isRefusable(): boolean {
    const { chained, request } = this.#sent;
    return chained || (this.isPrepared && hasReasoning(request.input));
  }

  /**
   * Removes the refused items or fields from the request.
   *
   * @returns false if the request holds none; it then stays unchanged.
   */
  async leaveOut(refusal: InputRefusal): Promise<boolean> {
    const isOfReasoning = refusal.cause !== 'unknown_field';
    const { input } = this.#sent.request;
    if (typeof input === 'string' || mendInput(input, refusal) === undefined) {
      if (!isOfReasoning || !this.#mayInheritReasoning) return false;
      await this.replay('reasoning lost');
    }
    const { request, concerned } = this.#input.leaveOut(refusal, this.#sent.request);
    this.#isConfirmed = false;
    this.#sent = { ...this.#sent, request };
    const code = isOfReasoning ? 'reasoning_left_out' : 'foreign_fields_left_out';
    const ids = concerned.flatMap((item) => idOf(item) ?? []);
    if (concerned.length > 0) this.#warn({ code, ids, count: concerned.length });
    return true;
  }

  /**
   * Compacts the history, and replaces it in the request, which was too long. Another process may have compacted it already.
   *
   * @returns false if the session does not compact, or the request does not begin with the history.
   * @throws CompactionError, or the client's error.
   */
  async compact(): Promise<boolean> {
    return this.#resend((port) => port.compact());
  }

  /** Whether the request holds a compaction, which only the API that made it can read. */
  get hasCompaction(): boolean {
    const { input } = this.#sent.request;
    return typeof input !== 'string' && input.some(({ type }) => type === 'compaction');
  }

  /**
   * Sends the whole history, because the model cannot read a compaction.
   *
   * @returns false if the session has no compaction, or the request does not begin with its history.
   */
  async leaveOutCompaction(): Promise<boolean> {
    const isLeftOut = await this.#resend((port) => port.uncompact());
    if (isLeftOut) this.#warn({ code: 'compaction_left_out' });
    return isLeftOut;
  }

  /** Whether the runner will retry the failed request itself. */
  leaveToRunner(): boolean {
    const { maxRetries = 0, policy } = this.#request.modelSettings.retry ?? {};
    const isLeft = maxRetries > 0 && policy !== undefined && !isRunnersRetry(this.#request);
    if (isLeft && this.parentId !== undefined)
      servers.unanswered(this.#server, this.parentId, MAX_UNANSWERED);
    return isLeft;
  }

  /** Records that the call failed: the server may answer no request that continues from its parent. A 409 is no answer. */
  failed(error: unknown): void {
    const status = isObject(error) ? error['status'] : undefined;
    const isAnswered = typeof status === 'number' && status !== 409;
    if (this.parentId !== undefined && !isAnswered && !this.isAborted)
      servers.unanswered(this.#server, this.parentId);
  }

  /** Replaces a chained request with the full history after a refusal. */
  async replay(why: string): Promise<void> {
    if (this.plan.type === 'chain') this.#refused(this.plan.parent, why);
    await this.#sendWhole();
  }

  /** Replaces a chained request with the full history after a response without the parent's context. */
  async replayIgnored(parentId: string): Promise<void> {
    servers.failed(this.#server, this.#now, MAX_FAILURES);
    this.#warn({ code: 'parent_ignored', ids: [parentId] });
    await this.#sendWhole();
  }

  /** Records a complete response. */
  answered(answered: ReceivedResponse): void {
    const { port, isGuess } = this.#owner;
    const lost = this.#input.learn(answered.output, isStored(answered.body, this.#request));
    if (lost.length > 0 && !isGuess) port?.lost(lost);
    if (this.#input.lacksContext) return;
    const parent = this.parentId !== undefined && this.plan.type === 'chain' ? this.plan.parent : undefined;
    const answer = completedResponse(answered, {
      request: this.#request,
      plannable: this.#plannable,
      server: this.#server,
      plan: this.plan,
      extension: [this.plan, this.#possible].find((one) => one?.type === 'chain'),
      parent,
      agent: currentRun()?.agent,
      lineage: [...new Set(this.#plannable.contexts)].flatMap(
        (context) => this.#view?.unrecorded(context) ?? [],
      ),
    });
    this.#ids.answered(answered.id, answer?.context.digest);
    if (answer === undefined) return;
    if (answer.context.doubtful === true) {
      servers.doubted(this.#server, this.#now);
      this.#warn({ code: 'parent_maybe_ignored', ids: [answer.id] });
    } else if (parent !== undefined) servers.confirmed(this.#server);
    else if (this.#isAfterSilence) servers.answeredWhole(this.#server, this.#now);
    const known = { ...answer, context: { ...answer.context, ...servers.refusals(this.#server) } };
    if (port === undefined) keepUnattributedResponse(known);
    else port.answered(known);
  }

  /** Whether the parent's context may hold reasoning that the server has lost. */
  get #mayInheritReasoning(): boolean {
    const { reference, items } = this.#plannable;
    return this.#sent.chained && (reference !== undefined || hasReasoning(items));
  }

  #warn(warning: ModelWarning): void {
    this.#owner.port?.warn(warning);
  }

  #planned(): { readonly request: ModelRequest; readonly chained: boolean } {
    if (this.plan.type === 'replay') return { request: this.#input.of(this.#request), chained: false };
    const request = { ...this.#request, previousResponseId: this.plan.parent.id, input: [...this.plan.rest] };
    return { request: this.#input.of(request), chained: true };
  }

  #decide(): Plan {
    if (typeof this.#key === 'object' && sentWhole.has(this.#key))
      return { type: 'replay', reason: 'parent_refused' };
    if (this.#view === undefined) return { type: 'replay', reason: 'ledger_unavailable' };
    const possible = this.#unlessFailed(plan(this.#plannable, this.#withWaiting(this.#view)));
    if (this.#view.enabled || this.#plannable.obstacle !== undefined) return possible;
    this.#possible = possible;
    return { type: 'replay', reason: 'mode' };
  }

  /** The view, without the responses that this process avoids for now. */
  #withWaiting(view: ChainView): ChainView {
    const isRefused = (id: string): boolean =>
      view.isRefused(id) || servers.isWaiting(this.#server, id, view.now);
    const candidates = (context: string): readonly Parent[] =>
      view.candidates(context).filter(({ id }) => !this.#ids.isTaken(id, context));
    return { ...view, isRefused, candidates };
  }

  /** Replaces a chain if its server or its parent failed recently. */
  #unlessFailed(possible: Plan): Plan {
    if (possible.type === 'replay') return possible;
    if (servers.isPaused(this.#server, this.#now)) return { type: 'replay', reason: 'server_paused' };
    const isSilent = servers.isUnanswered(this.#server, possible.parent.id);
    this.#isAfterSilence = isSilent && !isRunnersRetry(this.#request);
    return this.#isAfterSilence ? { type: 'replay', reason: 'parent_refused' } : possible;
  }

  #refused({ id, time }: Parent, why: string): void {
    const now = this.#now;
    const { isOfServer, until } = consequencesOf(why, time, now);
    if (isOfServer) servers.failed(this.#server, now);
    // The session is a guess, so it must not record the refusal.
    if (this.#owner.isGuess) return;
    if (until !== undefined) servers.wait(this.#server, id, until);
    this.#owner.port?.refused(id, why, until === undefined);
  }

  /**
   * Sends the history in another form, which no response ends.
   *
   * @param change changes the form, unless another process has done so already.
   * @returns false if the request does not begin with the history, or its form stays.
   */
  async #resend(change: (port: ChainingPort) => Promise<boolean>): Promise<boolean> {
    const { port, isGuess } = this.#owner;
    if (port === undefined || isGuess || this.#view === undefined || this.#view.isStock) return false;
    const whole = await this.#whole();
    const changed = async (): Promise<ModelRequest> =>
      ofView(whole, await port.view('newest').catch(() => undefined));
    let request = await changed();
    if (request === whole && (await change(port))) request = await changed();
    if (request === whole) return false;
    const report = port.planning();
    this.#request = request;
    this.#plannable = plannable(request, this.#model, this.#server);
    this.#isConfirmed = false;
    this.#sent = { request: this.#input.of(request), chained: false };
    report(this.#described({ type: 'replay', reason: 'compacted' }));
    return true;
  }

  async #sendWhole(): Promise<void> {
    if (typeof this.#key === 'object') sentWhole.add(this.#key);
    const report = this.#owner.port?.planning();
    this.#sent = { request: this.#input.of(await this.#whole()), chained: false };
    report?.(this.#described({ type: 'replay', reason: 'parent_refused' }));
  }

  /** The request with the history in place of its reference. */
  async #whole(): Promise<ModelRequest> {
    const { reference, items } = this.#plannable;
    const { port } = this.#owner;
    if (reference === undefined || port === undefined) return this.#request;
    return { ...this.#request, input: [...(await port.history.expand(reference)), ...items] };
  }

  /** Milliseconds since the epoch. */
  get #now(): number {
    return this.#view?.now ?? clock.now();
  }

  #described(decided: Plan): PlannedRequest {
    const isFromParent = this.plan.type === 'chain' && decided.reason !== 'compacted';
    const parentId = isFromParent ? this.plan.parent.id : undefined;
    return describePlan(decided, { plannable: this.#plannable, parentId, possible: this.#possible });
  }
}
