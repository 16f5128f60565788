import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { isForeignReasoning, withoutForeignFields } from './foreign-fields.ts';
import { itemType, SDK_TYPES } from './item-types.ts';
import { withPhase } from './model-input.ts';
import { isObject, textOf, type JsonObject } from '../util/json.ts';

/** An item as the API takes it. */
export type ApiInputItem = OpenAI.Responses.ResponseInputItem;

/** An item in the API's form, or why the API has no form for it. */
export type ApiForm = { readonly item: ApiInputItem } | { readonly unsupported: string };

const CONVERSATION = 'conv_conversion';

/**
 * Converts between the API's items and the SDK's.
 *
 * The SDK does not export its converters, but its conversations session uses them. That session gets a client whose list holds
 * the chosen items, and that keeps the items to write. It works in every SDK version and makes no request.
 */
export class ItemConverter {
  /**
   * One item of the SDK for each of the API, in order. An item that the SDK has no form for becomes `unknown`, with all fields. The
   * result of a function gets the name of its call, where the call is among the items.
   */
  async toAgentItems(given: readonly JsonObject[]): Promise<AgentInputItem[]> {
    const items = given.map((item) => withTypedTexts(item));
    if (items.length === 0) return [];
    const together = await read(items).catch(() => undefined);
    if (together?.length === items.length) {
      return withNames(items.map((item, index) => complete(item, together[index])));
    }
    const converted: AgentInputItem[] = [];
    for (const item of items) {
      const alone = await read([item]).catch(() => []);
      converted.push(complete(item, alone.length === 1 ? alone[0] : undefined));
    }
    return withNames(converted);
  }

  /** The form in which the API stores each item, in order, without the fields of other providers. */
  async toApiItems(given: readonly AgentInputItem[]): Promise<ApiForm[]> {
    if (given.length === 0) return [];
    const items = given.map((item) => withPhase(withoutForeignFields(item)));
    const together = await written(items).catch(() => undefined);
    if (together?.length === items.length && !given.some((item) => isAdaptedReasoning(item))) {
      return together.map((item, index) => ({ item: identified(item, items[index]) }));
    }
    const converted: ApiForm[] = [];
    for (const item of given) converted.push(await this.#alone(item));
    return converted;
  }

  async #alone(given: AgentInputItem): Promise<ApiForm> {
    const item = withPhase(withoutForeignFields(given));
    try {
      const [converted] = await written([item]);
      if (converted === undefined) return { unsupported: 'the SDK leaves it out of a conversation' };
      if (isAdaptedReasoning(given)) return { unsupported: 'it is the reasoning of another provider' };
      return { item: identified(converted, item) };
    } catch {
      // The SDK's message quotes the item.
      return { unsupported: 'the SDK has no API form for it' };
    }
  }
}

/** An item whose texts have the type that the SDK reads, which drops a message or a result with a text of another type. */
function withTypedTexts(item: JsonObject): JsonObject {
  const { type, role, content, output } = item;
  if (type === 'function_call_output' && Array.isArray(output))
    return { ...item, output: typedTexts(output, ['text', 'output_text'], 'input_text') };
  if (type !== 'message') return item;
  const parts: unknown = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const typed = role === 'assistant' ? 'output_text' : 'input_text';
  return Array.isArray(parts) ? { ...item, content: typedTexts(parts, ['text'], typed) } : item;
}

function typedTexts(parts: readonly unknown[], types: readonly unknown[], type: string): unknown[] {
  return parts.map((part) => (isObject(part) && types.includes(part['type']) ? { ...part, type } : part));
}

function withNames(items: readonly AgentInputItem[]): AgentInputItem[] {
  const names = namesOf(items);
  return items.map((item) => withName(item, names));
}

function read(items: readonly JsonObject[]): Promise<AgentInputItem[]> {
  const list = async function* list(): AsyncGenerator {
    yield* structuredClone(items);
  };
  return session({ list }).getItems();
}

async function written(items: readonly AgentInputItem[]): Promise<ApiInputItem[]> {
  let received: ApiInputItem[] = [];
  const create = async (_conversationId: unknown, body: unknown): Promise<void> => {
    // As it would arrive: JSON leaves out undefined fields.
    const sent: unknown = isObject(body) ? JSON.parse(JSON.stringify(body['items'])) : undefined;
    received = Array.isArray(sent) ? sent.filter((item) => isInputItem(item)) : [];
  };
  await session({ create }).addItems(structuredClone([...items]));
  return received;
}

/** The SDK's session on a client with these methods only. */
function session(items: object): OpenAIConversationsSession {
  const client: unknown = { conversations: { items } };
  if (!isClient(client)) throw new TypeError('a client has conversations');
  return new OpenAIConversationsSession({ client, conversationId: CONVERSATION });
}

/** Whether the SDK's session can use the value: it reads nothing but the items of conversations. */
function isClient(value: unknown): value is OpenAI {
  return isObject(value) && isObject(value['conversations']);
}

/** Whether reasoning has fields of another provider: the API would refuse its ID. */
function isAdaptedReasoning(item: AgentInputItem): boolean {
  return isForeignReasoning(item) && withoutForeignFields(item) !== item;
}

/** Restores the fields that the SDK leaves out. Where the SDK drops more, the item stays in the API's form, wrapped. */
function complete(raw: JsonObject, item: AgentInputItem | undefined): AgentInputItem {
  const parts = partsOf(raw);
  if (item === undefined || item.type === 'unknown' || !isWhole(raw, parts, { ...item })) {
    return (
      screenshotOf(raw) ?? {
        type: 'unknown',
        ...(typeof raw['id'] === 'string' ? { id: raw['id'] } : {}),
        providerData: { ...raw },
      }
    );
  }
  const field = SDK_TYPES.get(item.type ?? 'message')?.partsField;
  const converted: unknown = field === undefined ? undefined : Reflect.get(item, field);
  if (field === undefined || parts === undefined || !Array.isArray(converted)) return item;
  const detailed = converted.map((part: unknown, index) => withDroppedFields(part, parts[index]));
  return { ...item, [field]: detailed };
}

/** The result of a computer call: the SDK sends it, but does not read it back, and leaves out a call without the result of its type. */
function screenshotOf(raw: JsonObject): AgentInputItem | undefined {
  const { type, id, call_id: callId, output, acknowledged_safety_checks: checks } = raw;
  const data = isObject(output) ? output['image_url'] : undefined;
  if (type !== 'computer_call_output' || typeof callId !== 'string' || typeof data !== 'string')
    return undefined;
  return {
    type: 'computer_call_result',
    ...(typeof id === 'string' ? { id } : {}),
    callId,
    output: { type: 'computer_screenshot', data },
    ...(Array.isArray(checks) && checks.length > 0
      ? { providerData: { acknowledged_safety_checks: checks } }
      : {}),
  };
}

/** The content parts of an item in the API's form. */
function partsOf(raw: JsonObject): readonly unknown[] | undefined {
  const { partsField } = itemType(textOf(raw['type']));
  const parts = partsField === undefined ? undefined : raw[partsField];
  return Array.isArray(parts) ? parts : undefined;
}

/** Whether the SDK's item is the whole item: the SDK may have read another item out of its output, or dropped parts. */
function isWhole(raw: JsonObject, parts: readonly unknown[] | undefined, converted: JsonObject): boolean {
  if (typeof raw['id'] === 'string' && converted['id'] !== raw['id']) return false;
  if (parts === undefined) return true;
  const { partsField = 'content' } = SDK_TYPES.get(textOf(converted['type'] ?? 'message')) ?? {};
  const content = converted[partsField];
  // The SDK joins the texts of a system message into one string, and drops its other parts.
  if (typeof content === 'string') return parts.every((part) => isText(part));
  return Array.isArray(content) && content.length === parts.length;
}

function isText(part: unknown): boolean {
  return isObject(part) && (part['type'] === 'input_text' || part['type'] === 'text');
}

/**
 * A part with the fields that a model reads and the SDK drops: the detail of an image or a file, and the ID of an uploaded
 * image. The SDK prefers the URL of the image, which expires; the caller sent the ID.
 */
function withDroppedFields(part: unknown, raw: unknown): unknown {
  if (!isObject(part) || !isObject(raw)) return part;
  const detail = raw['detail'];
  const detailed = typeof detail === 'string' && detail !== '' && detail !== 'auto';
  if (part['type'] === 'input_file') return detailed ? { ...part, providerData: { detail } } : part;
  if (part['type'] !== 'input_image') return part;
  const id = raw['file_id'];
  return {
    ...part,
    ...(typeof id === 'string' && id !== '' ? { image: { id } } : {}),
    ...(detailed ? { detail } : {}),
  };
}

/** With the ID that the SDK left out, where the API needs it. */
function identified(converted: ApiInputItem, item: AgentInputItem | undefined): ApiInputItem {
  const { id, providerData }: JsonObject = { ...item };
  const known = id ?? (isObject(providerData) ? providerData['id'] : undefined);
  if (!itemType(converted.type ?? 'message').isMadeByServer || typeof known !== 'string') return converted;
  if ('id' in converted && converted.id !== undefined) return converted;
  return withId(converted, known);
}

/** The same item under an ID. If the API has stored an item of that ID, it takes the stored item and ignores the content. */
export function withId(converted: ApiInputItem, id: string): ApiInputItem {
  const linked: unknown = { ...converted, id };
  return isInputItem(linked) ? linked : converted;
}

/** The same item without an ID: the API stores its content. */
export function withoutId(converted: ApiInputItem): ApiInputItem {
  const { id: _id, ...content }: JsonObject = { ...converted };
  return isInputItem(content) ? content : converted;
}

/** The SDK made the value, so it only has to be an object. */
function isInputItem(value: unknown): value is ApiInputItem {
  return isObject(value);
}

/** Names of functions by the IDs of their calls. */
export function namesOf(items: readonly (AgentInputItem | undefined)[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const item of items) if (item?.type === 'function_call') names.set(item.callId, item.name);
  return names;
}

/** Whether the API did not keep the name of the function: the SDK then takes the ID of the call. */
export function isNameless(item: AgentInputItem | undefined): boolean {
  return item?.type === 'function_call_result' && item.name === item.callId;
}

/** The item with the name of its function, where its call is known. */
export function withName<T extends AgentInputItem>(item: T, names: ReadonlyMap<string, string>): T {
  const name = isNameless(item) && 'callId' in item ? names.get(String(item.callId)) : undefined;
  return name === undefined ? item : { ...item, name };
}
