import {
  findContinued,
  resolveContext,
  threadFor,
  type Continued,
  type InputContext,
} from './input-context.ts';
import { checkCapabilities, fitContext, shortened } from './model-limits.ts';
import { outputItems } from './output-items.ts';
import { finishedBody, newResponseBody } from './response-body.ts';
import type { ResponseRequest } from './response-request.ts';
import { usageOf } from './usage.ts';
import type { ModelAnswer } from '../model/answer.ts';
import { answerOf } from '../model/answer-of.ts';
import { marksPhase, reasons } from '../model/model-traits.ts';
import type { Unlinking } from '../unlinking.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Account } from '../world/account.ts';
import { appendItems } from '../world/conversation-list.ts';
import type { ResponseRecord } from '../world/records.ts';
import type { World } from '../world/world.ts';

/** Where a turn happens. */
export interface TurnScene {
  readonly world: World;
  readonly account: Account;
  readonly unlinking: Unlinking;
}

/**
 * One response being made: opened (its conversation locked, its record visible as `in_progress`), answered by the model,
 * and settled, which is when everything it changes becomes true at once.
 */
export class Turn {
  readonly request: ResponseRequest;
  /** Everything the model sees, oldest first. */
  readonly context: readonly SimulatorItem[];
  readonly record: ResponseRecord;
  readonly #scene: TurnScene;
  readonly #continued: Continued;
  readonly #input: InputContext;
  readonly #thread: string;
  readonly #stored: boolean;
  #output: readonly SimulatorItem[] = [];
  #isOpen = true;

  /** @throws ApiError if the request cannot be served; nothing has changed then. */
  constructor(scene: TurnScene, request: ResponseRequest) {
    const { world, account } = scene;
    const continued = findContinued(world, account, request.conversationId, request.previousResponseId);
    if (continued.conversation?.lockedBy !== undefined) throw errors.conversationLocked();
    this.#scene = scene;
    this.#continued = continued;
    this.#stored = request.store && world.settings.profile.stores;
    this.#thread = threadFor(world, continued, request.input);
    this.#input = resolveContext(world, account, continued, request.input, this.#mint);
    checkCapabilities(request.model, request.sent);
    this.request = request;
    this.context = this.#input.context;
    this.record = this.#newRecord();
    this.#begin();
  }

  /**
   * Lets the model answer and returns the finished response, which is not stored yet.
   * @param change changes the model's answer.
   * @throws ApiError if the model cannot answer.
   */
  async answer(change: (answer: ModelAnswer) => ModelAnswer): Promise<JsonObject> {
    const { world, account } = this.#scene;
    const { model, sent } = this.request;
    const context = fitContext(this.context, sent, world.settings.contextWindow);
    const given = await answerOf(context, { ...sent, model }, world.settings);
    const answer = change(shortened(given, sent['max_output_tokens']));
    if (answer.failed) return this.failure(answer.failed);
    this.#output = outputItems(answer, {
      mint: this.#mint,
      mintCall: () => world.ids.call(),
      reasons: reasons(model, sent),
      marksPhase: marksPhase(model),
      tools: sent['tools'],
    });
    const preamble = [model, sent['instructions'], sent['tools']];
    const cached = account.promptCache.cachedTokens(preamble, context);
    const usage = usageOf(context, sent, this.#output, cached);
    return finishedBody(this.record.body, answer, this.#output, usage, world.clock.seconds());
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
    if (!this.#isKept() || body['status'] === 'failed') return;
    this.#keepOutput();
    if (this.#stored && body['status'] === 'completed') this.#tellUnlinking();
    if (!isAbandoned || this.#scene.world.settings.onAbort === 'keep-turn') this.#append();
  }

  /** Ends the response as `cancelled`, with no output. Does nothing once it is settled. */
  cancel(): void {
    if (this.#close()) this.record.body = { ...this.record.body, status: 'cancelled' };
  }

  /** Gives the turn up as if the request had never been made. Does nothing once it is settled. */
  discard(): void {
    if (this.#close()) this.#scene.account.deleteResponse(this.record.id);
  }

  readonly #mint = (prefix: string): string =>
    this.#scene.world.ids.inThread(prefix, this.#thread, this.#stored);

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
    for (const item of this.#input.items) if (!account.items.has(item.id)) account.addItem(item);
    account.addResponse(this.record);
  }

  /** A background response can be retrieved even if it is not to be stored. */
  #isKept(): boolean {
    return this.#stored || this.request.background;
  }

  #keepOutput(): void {
    const step = this.#output.find((item) => item.type === 'reasoning');
    for (const item of this.#output) {
      this.#scene.account.addItem(item, step && item.id !== step.id ? step.id : undefined);
    }
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
