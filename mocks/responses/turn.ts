import {
  findContinued,
  resolveContext,
  threadFor,
  type Continued,
  type InputContext,
} from './input-context.ts';
import { checkCapabilities, fitContext, limitedOutput, reachesThreshold } from './model-limits.ts';
import { outputItems } from './output-items.ts';
import { finishedBody, newResponseBody } from './response-body.ts';
import { topLogprobsOf, type ResponseRequest } from './response-request.ts';
import { usageOf } from './usage.ts';
import type { ModelAnswer } from '../model/answer.ts';
import { answerOf } from '../model/answer-of.ts';
import { marksPhase, reasons } from '../model/model-traits.ts';
import { offeredTools } from '../model/offered-tools.ts';
import { compactionOf } from '../model/summary.ts';
import { outputTokensOf } from '../model/tokens.ts';
import { checkJsonAsked, checkToolChoice } from '../requests/check-tools.ts';
import type { Unlinking } from '../unlinking.ts';
import { errors } from '../wire/error-catalogue.ts';
import { isUserMessage, type SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Account } from '../world/account.ts';
import type { ConnectionMemory } from '../world/connection-memory.ts';
import { appendItems } from '../world/conversation-list.ts';
import type { ResponseRecord } from '../world/records.ts';
import type { World } from '../world/world.ts';

/** Where a turn happens. */
export interface TurnScene {
  readonly world: World;
  readonly account: Account;
  readonly unlinking: Unlinking;
  /** The memory of the WebSocket that the request came over. */
  readonly memory: ConnectionMemory | undefined;
}

/**
 * One response being made: opened (its conversation locked, its record visible as `in_progress`), answered by the model,
 * and settled, which is when everything it changes becomes true at once.
 */
export class Turn {
  readonly request: ResponseRequest;
  /** Everything the model sees, oldest first; after a compaction, that and the items since the user spoke. */
  readonly context: readonly SimulatorItem[];
  readonly record: ResponseRecord;
  readonly #scene: TurnScene;
  readonly #continued: Continued;
  readonly #input: InputContext;
  readonly #thread: string;
  readonly #stored: boolean;
  /** The item with which the output begins, if the context is compacted. */
  readonly #compaction: SimulatorItem | undefined;
  #output: readonly SimulatorItem[] = [];
  #isOpen = true;

  /** @throws ApiError if the request cannot be served; nothing has changed then. */
  constructor(scene: TurnScene, request: ResponseRequest) {
    const { world, account, memory } = scene;
    const { conversationId, previousResponseId } = request;
    const continued = findContinued(world, account, conversationId, previousResponseId, memory);
    if (continued.conversation?.lockedBy !== undefined) throw errors.conversationLocked();
    this.#scene = scene;
    this.#continued = continued;
    this.#stored = request.store && world.settings.profile.stores;
    this.#thread = threadFor(world, continued, request.input);
    this.#input = resolveContext(world, account, continued, request.input, this.#mint);
    checkToolChoice(request.sent, this.#input.context);
    checkJsonAsked(request.sent, this.#input.context);
    checkCapabilities(request.model, request.sent);
    this.request = request;
    this.record = this.#newRecord();
    this.#compaction = this.#compacted();
    this.context = this.#seen();
    this.#begin();
  }

  /**
   * Lets the model answer and returns the finished response, which is not stored yet.
   * @param change changes the model's answer.
   * @throws ApiError if the model cannot answer.
   */
  async answer(change: (answer: ModelAnswer) => ModelAnswer): Promise<JsonObject> {
    const { world, account } = this.#scene;
    const { model, sent, isTriggered, isWarmUp } = this.request;
    const rendered = fitContext(this.#input.context, sent, world.settings.contextWindow);
    const context = this.#compaction ? this.context : rendered;
    const outputLeft = Number(sent['max_output_tokens'] ?? Infinity) - outputTokensOf(this.#compaction);
    const isAnswered = !isTriggered && !isWarmUp && outputLeft > 0;
    const given = isAnswered ? await answerOf(context, { ...sent, model }, world.settings) : this.#silence();
    const answer = change(given);
    if (answer.failed) return this.failure(answer.failed);
    const { items, isCut } = limitedOutput(
      outputItems(answer, {
        mint: this.#mint,
        mintCall: () => world.ids.call(),
        reasons: isAnswered && reasons(model, sent),
        marksPhase: marksPhase(model),
        tools: offeredTools(sent['tools'], context),
        topLogprobs: topLogprobsOf(this.request),
      }),
      outputLeft,
    );
    this.#output = this.#compaction ? [this.#compaction, ...items] : items;
    const passes = this.#compaction && isAnswered ? [rendered, context] : [rendered];
    const preamble = [model, sent['instructions'], sent['tools']];
    let cached = 0;
    for (const pass of passes) cached += account.promptCache.cachedTokens(preamble, pass);
    const usage = usageOf(passes, sent, this.#output, cached);
    const ended = isCut ? { ...answer, incomplete: 'max_output_tokens' as const } : answer;
    return finishedBody(this.record.body, ended, this.#output, usage, world.clock.seconds());
  }

  /** The finished response if the model fails. */
  failure(failed: { code: string; message: string }): JsonObject {
    return finishedBody(this.record.body, { failed }, [], null, this.#scene.world.clock.seconds());
  }

  /**
   * Makes a finished response true: stored, written to its conversation, unlocked. Does nothing the second time.
   * @param isAbandoned the client went away before the end: the response is stored all the same.
   */
  settle(body: JsonObject, isAbandoned = false): void {
    if (!this.#close()) return;
    this.record.body = body;
    if (body['status'] === 'failed') return;
    if (!this.#isKept()) {
      const items = [...this.#input.context, ...this.#output];
      this.record.outputIds = this.#output.map((item) => item.id);
      this.#scene.memory?.keep({ record: this.record, items });
      return;
    }
    this.#keepOutput();
    if (this.#stored && body['status'] === 'completed') this.#tellUnlinking();
    if (!isAbandoned || this.#scene.world.settings.onAbort === 'keep-turn') this.#append();
  }

  /** Ends the response as `cancelled`, with no output. Does nothing once it is settled. */
  cancel(): void {
    if (this.#close()) this.record.body = { ...this.record.body, status: 'cancelled' };
  }

  /** The items that the model answered with. */
  get output(): readonly SimulatorItem[] {
    return this.#output;
  }

  /** Gives the turn up as if the request had never been made. Does nothing once it is settled. */
  discard(): void {
    if (this.#close()) this.#scene.account.deleteResponse(this.record.id);
  }

  readonly #mint = (prefix: string): string =>
    this.#scene.world.ids.inThread(prefix, this.#thread, this.#stored);

  /** No answer: a trigger and a warm-up ask for none, otherwise the compaction took all output tokens. */
  #silence(): ModelAnswer {
    const { isTriggered, isWarmUp } = this.request;
    return isTriggered || isWarmUp ? {} : { incomplete: 'max_output_tokens' };
  }

  /** The compaction of the context, if a trigger asks for one or the context reaches the threshold. */
  #compacted(): SimulatorItem | undefined {
    const { context } = this.#input;
    const { sent, isTriggered } = this.request;
    const { contextWindow } = this.#scene.world.settings;
    const isDue = isTriggered || reachesThreshold(context, sent, contextWindow);
    if (!isDue) return undefined;
    const kept = isTriggered ? 0 : this.#sinceAsked().length;
    return compactionOf(context, { origin: 'response', kept }, this.#mint);
  }

  /** A trigger only compacts; otherwise the answer is given after the compaction. */
  #seen(): readonly SimulatorItem[] {
    if (!this.#compaction || this.request.isTriggered) return this.#input.context;
    return Object.freeze([this.#compaction, ...this.#sinceAsked()]);
  }

  /** The newest user message, and the items after it. */
  #sinceAsked(): readonly SimulatorItem[] {
    const { context } = this.#input;
    const asked = context.findLastIndex(isUserMessage);
    return asked === -1 ? [] : context.slice(asked);
  }

  /** Ends the making of the response, the first time. */
  #close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.record.running = undefined;
    const { conversation } = this.#continued;
    if (conversation?.lockedBy === this.record.id) conversation.lockedBy = undefined;
    return true;
  }

  #newRecord(): ResponseRecord {
    const { clock } = this.#scene.world;
    const { request } = this;
    const id = this.#mint('resp');
    const ownInput = this.#input.items.map((item) => item.id);
    return {
      id,
      createdAt: clock.now(),
      thread: this.#thread,
      model: request.model,
      parentId: request.previousResponseId,
      conversationId: request.conversationId,
      ownInput,
      context: { parent: this.#input.inherited, ids: ownInput },
      isBackground: request.background,
      isReplayable: request.background && request.stream,
      outputIds: [],
      body: newResponseBody(request, {
        id,
        createdAt: clock.seconds(),
        stored: this.#stored,
        echo: this.#scene.world.settings.profile.echo,
      }),
      running: undefined,
    };
  }

  #begin(): void {
    const { account } = this.#scene;
    const { conversation } = this.#continued;
    if (conversation) conversation.lockedBy = this.record.id;
    if (!this.#isKept()) return;
    const { remembered = [] } = this.#continued;
    for (const item of [...remembered, ...this.#input.items])
      if (!account.items.has(item.id)) account.addItem(item);
    account.addResponse(this.record);
  }

  /** A background response can be retrieved even if it is not to be stored. */
  #isKept(): boolean {
    return this.#stored || this.request.background;
  }

  #keepOutput(): void {
    this.#scene.account.addOutput(this.#output);
    this.record.outputIds = this.#output.map((item) => item.id);
  }

  #tellUnlinking(): void {
    const { account, unlinking } = this.#scene;
    unlinking.afterResponse(account, {
      model: this.request.model,
      responseId: this.record.id,
      conversation: this.#continued.conversation,
      replayed: this.#input.replayed,
      input: this.#input.items,
      output: this.#output,
    });
  }

  #append(): void {
    const { world, account } = this.#scene;
    const { conversation } = this.#continued;
    if (!conversation || !this.#stored) return;
    const ids = [...this.record.ownInput, ...this.record.outputIds];
    appendItems(account, conversation, ids, world.settings.lag, world.clock.now());
  }
}
