import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf } from '../util/json.ts';
import { ITEM_TYPES, itemType, SDK_TYPES } from './item-types.ts';
import { apiTypeOf, idOf, providerDataOf } from './read-item.ts';

/** The provider data that the Responses API takes of the parts of a message's or a reasoning step's content. */
const PART_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['input_text', ['prompt_cache_breakpoint']],
  ['input_image', ['prompt_cache_breakpoint']],
  ['input_file', ['detail', 'prompt_cache_breakpoint']],
  ['output_text', ['annotations', 'logprobs']],
]);

/** Fields in which an adapter records its model, also in items of the API's own types. */
const MADE_BY = new Set(['model', 'response_id']);

/**
 * An item without the fields of other providers: those of the AI SDK and of the Chat Completions API, cache control,
 * signatures. The same object when there are none.
 */
export function withoutForeignFields(item: AgentInputItem): AgentInputItem {
  const type = item.type ?? 'message';
  const known = SDK_TYPES.get(type)?.providerData;
  const own = without(item, (key) =>
    known === undefined ? MADE_BY.has(key) : key !== 'id' && !known.includes(key),
  );
  if (type !== 'message' && type !== 'reasoning') return own;
  const content: unknown = Reflect.get(own, 'content');
  if (!Array.isArray(content)) return own;
  const parts = content.map((part: unknown) => withoutForeignPart(part));
  return parts.every((part, index) => part === content[index])
    ? own
    : Object.assign({ ...own }, { content: parts });
}

/** Whether no server of the Responses API made the reasoning: it has neither an ID of that API nor encrypted content. */
export function isForeignReasoning(item: AgentInputItem): boolean {
  if (item.type !== 'reasoning') return false;
  const data = providerDataOf(item);
  const hasContent = textOf(data['encrypted_content'] ?? data['encryptedContent']) !== '';
  return !hasContent && !textOf(item.id ?? data['id']).startsWith(ITEM_TYPES.reasoning.idPrefix);
}

/** Whether another provider gave the item its ID. */
export function hasForeignId(item: AgentInputItem): boolean {
  const { idPrefix } = itemType(apiTypeOf(item));
  return idPrefix !== undefined && idOf(item)?.startsWith(idPrefix) === false;
}

function withoutForeignPart(part: unknown): unknown {
  if (!isObject(part)) return part;
  const known = PART_FIELDS.get(textOf(part['type'])) ?? [];
  const own = without(part, (key) => !known.includes(key));
  const data = own['providerData'];
  const annotations = isObject(data) ? data['annotations'] : undefined;
  if (!isObject(data) || !Array.isArray(annotations)) return own;
  const kept = annotations.filter((annotation) => !isChatAnnotation(annotation));
  return kept.length === annotations.length ? own : { ...own, providerData: { ...data, annotations: kept } };
}

/** The Chat Completions API nests the fields of an annotation under its type; the Responses API puts them beside it. */
function isChatAnnotation(annotation: unknown): boolean {
  return isObject(annotation) && isObject(annotation[textOf(annotation['type'])]);
}

function without<T extends object>(value: T, isForeign: (key: string) => boolean): T {
  const data: unknown = Reflect.get(value, 'providerData');
  if (!isObject(data)) return value;
  const entries = Object.entries(data);
  const kept = entries.filter(([key]) => !isForeign(snakeCase(key)));
  return kept.length === entries.length ? value : { ...value, providerData: Object.fromEntries(kept) };
}

/** As the SDK writes the names of provider data. */
function snakeCase(name: string): string {
  return name.replaceAll(/([A-Z])/g, '_$1').toLowerCase();
}
