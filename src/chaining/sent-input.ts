import type { AgentInputItem, Model, ModelRequest } from '@openai/agents';
import { mendInput, type InputRefusal } from './input-refusal.ts';
import { speaksResponses } from './request.ts';
import {
  isReasoning,
  lostKey,
  danglingReasoning,
  isReplayable,
  leaveOutReasoning,
  encryptedContentOf,
} from '../items/reasoning.ts';
import { hasForeignId, withoutForeignFields } from '../items/foreign-fields.ts';
import { idOf } from '../items/read-item.ts';
import { byContent } from '../items/model-input.ts';
import { boundedMap } from '../util/bounded-map.ts';
import { clientKeyOf } from './server.ts';

/** The origin of an input. */
export interface InputOrigin {
  /** Whether the input belongs to a `HybridSession`. */
  readonly isOfSession: boolean;
  /** Whether the session behaves like the stock session: its input then stays unchanged. */
  readonly isStock: boolean;
}

/** The input of one request, prepared for the Responses API and without its refused parts. */
export class SentInput {
  /** Whether the input is prepared, and repaired after a refusal. */
  readonly isPrepared: boolean;
  readonly #model: Model;
  readonly #isOfSession: boolean;
  readonly #refusals: InputRefusal[] = [];
  /** Items that are not sent. */
  readonly #leftOut = new Set<AgentInputItem>();

  constructor(model: Model, { isOfSession, isStock }: InputOrigin) {
    this.#model = model;
    this.#isOfSession = isOfSession;
    this.isPrepared = !isStock && speaksResponses(model);
  }

  /** Whether the model did not see the full context; missing reasoning does not count. */
  get lacksContext(): boolean {
    return [...this.#leftOut].some((item) => !isReasoning(item));
  }

  /** Prepares a request. */
  of(request: ModelRequest): ModelRequest {
    if (!this.isPrepared || typeof request.input === 'string') return request;
    const prepared = forResponses(request.input, this.#model, this.#isOfSession);
    const input = this.#refusals.reduce((items, refusal) => this.#mended(items, refusal).items, prepared);
    return input === request.input ? request : { ...request, input: [...input] };
  }

  /** Removes the refused parts from this and later versions of the request. @returns the affected items. */
  leaveOut(
    refusal: InputRefusal,
    request: ModelRequest,
  ): { request: ModelRequest; concerned: AgentInputItem[] } {
    this.#refusals.push(refusal);
    if (typeof request.input === 'string') return { request, concerned: [] };
    const { items, concerned } = this.#mended(request.input, refusal);
    return { request: { ...request, input: [...items] }, concerned };
  }

  /**
   * Records which items the server produced and which it refused.
   *
   * @returns the keys of items that no server accepts any more.
   */
  learn(output: readonly AgentInputItem[], isStored: boolean): string[] {
    if (!speaksResponses(this.#model)) return [];
    const leftOut = [...this.#leftOut];
    recordProduced(this.#model, output, isStored);
    recordLost(this.#model, leftOut);
    return leftOut.flatMap((item) => lostKey(item) ?? []);
  }

  #mended(
    input: readonly AgentInputItem[],
    refusal: InputRefusal,
  ): { readonly items: readonly AgentInputItem[]; readonly concerned: AgentInputItem[] } {
    const mended = mendInput(input, refusal);
    if (mended === undefined) return { items: input, concerned: [] };
    for (const item of mended.leftOut) this.#leftOut.add(item);
    return { items: mended.items, concerned: [...mended.leftOut, ...mended.changed] };
  }
}

/**
 * Prepares an input for the Responses API. Removes reasoning that is lost, dangling or from another provider, the IDs that
 * require such reasoning, and fields of other providers.
 *
 * @param isOfSession whether the input belongs to a `HybridSession`; otherwise its fields stay unchanged.
 * @returns the same array if no item changes.
 */
export function forResponses(
  input: readonly AgentInputItem[],
  model: Model,
  isOfSession: boolean,
): readonly AgentInputItem[] {
  const own = input.map((item) =>
    isOfSession && !isMadeBy(model, item) ? withoutForeignFields(item) : item,
  );
  const dangling = danglingReasoning(own);
  const { items } = leaveOutReasoning(own, {
    isLeftOut: (item, index) =>
      isReasoning(item)
        ? dangling.has(index) || isLost(model, item) || !(isReplayable(item) || isMadeBy(model, item))
        : isLost(model, item) && byContent(item) === undefined,
    lacksReasoning: (item, present) => {
      const required = requiredReasoning(model, item);
      if (hasForeignId(item) && !isMadeBy(model, item)) return true;
      return required !== undefined && !present.has(required);
    },
    withoutId: (item) => byContent(item) ?? item,
  });
  return items.length === input.length && items.every((item, index) => item === input[index]) ? input : items;
}

/** The number of remembered items of each client. */
const MAX_ITEMS = 10_000;

/** The items that one client's server produced or refused, as seen by this process. */
class AnsweredItems {
  /** The ID of the reasoning that an item requires, by the item's ID. */
  readonly reasoning = boundedMap<{ readonly id: string | undefined }>(MAX_ITEMS);
  /** The keys of items that the server does not have: reasoning that it did not store, and refused items. */
  readonly lost = boundedMap<true>(MAX_ITEMS);
}

const known = new WeakMap<object, AnsweredItems>();

/** Records the items of a response, because requests of the same turn send them by ID. */
export function recordProduced(model: Model, output: readonly AgentInputItem[], isStored: boolean): void {
  const { reasoning, lost } = itemsOf(model);
  let step: string | undefined;
  for (const item of output) {
    const id = idOf(item);
    if (id === undefined) continue;
    reasoning.set(id, { id: step });
    if (!isReasoning(item)) continue;
    step ??= id;
    if (!isStored && encryptedContentOf(item) === undefined) lost.set(id, true);
  }
}

/** Records items that the server refused. */
export function recordLost(model: Model, items: readonly AgentInputItem[]): void {
  for (const item of items) {
    const key = lostKey(item);
    if (key !== undefined) itemsOf(model).lost.set(key, true);
  }
}

/** Whether the server does not have this item. */
function isLost(model: Model, item: AgentInputItem): boolean {
  const key = lostKey(item);
  return key !== undefined && itemsOf(model).lost.has(key);
}

/** The ID of the reasoning that this item requires, if this process knows it. */
function requiredReasoning(model: Model, item: AgentInputItem): string | undefined {
  return itemsOf(model).reasoning.get(idOf(item) ?? '')?.id;
}

/** Whether the model's server produced this item, and so accepts all its fields. */
function isMadeBy(model: Model, item: AgentInputItem): boolean {
  return itemsOf(model).reasoning.has(idOf(item) ?? '');
}

function itemsOf(model: Model): AnsweredItems {
  const key = clientKeyOf(model);
  let items = known.get(key);
  if (items === undefined) known.set(key, (items = new AnsweredItems()));
  return items;
}
