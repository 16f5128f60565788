import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { isObject, type JsonObject } from '../ledger/json.ts';

/** An item as the API takes it. */
export type ApiInputItem = OpenAI.Responses.ResponseInputItem;

/** An item in the API's form, or why the API has no form for it. */
export type ApiForm = { readonly item: ApiInputItem } | { readonly unsupported: string };

const CONVERSATION = 'conv_conversion';

/** Types that only the server makes: the API refuses one without its ID, and links the stored item when it has one. */
const MADE_BY_SERVER: ReadonlySet<string> = new Set([
  'code_interpreter_call',
  'computer_call',
  'file_search_call',
  'image_generation_call',
  'local_shell_call',
  'mcp_approval_request',
  'mcp_call',
  'mcp_list_tools',
  'web_search_call',
]);

/**
 * Converts between the API's items and the SDK's.
 *
 * The SDK does not export its converters, but its own conversations session uses them: on a client whose list holds the
 * chosen items, and that keeps the ones it is to write, it converts for us, in every SDK version. No request is made.
 */
export class ItemConverter {
  /** One item of the SDK for each of the API, in order; what the SDK has no form for comes as `unknown`, whole. */
  async toAgentItems(items: readonly JsonObject[]): Promise<AgentInputItem[]> {
    if (items.length === 0) return [];
    const together = await read(items).catch(() => undefined);
    if (together?.length === items.length) {
      return items.map((item, index) => complete(item, together[index]));
    }
    const converted: AgentInputItem[] = [];
    for (const item of items) {
      const alone = await read([item]).catch(() => []);
      converted.push(complete(item, alone.length === 1 ? alone[0] : undefined));
    }
    return converted;
  }

  /** The form in which the API stores each item, in order. */
  async toApiItems(items: readonly AgentInputItem[]): Promise<ApiForm[]> {
    if (items.length === 0) return [];
    const together = await written(items).catch(() => undefined);
    if (together?.length === items.length) {
      return together.map((item, index) => ({ item: identified(item, items[index]) }));
    }
    const converted: ApiForm[] = [];
    for (const item of items) converted.push(await this.#alone(item));
    return converted;
  }

  async #alone(item: AgentInputItem): Promise<ApiForm> {
    try {
      const [converted] = await written([item]);
      if (converted === undefined) return { unsupported: 'the SDK leaves it out of a conversation' };
      return { item: identified(converted, item) };
    } catch {
      // The SDK's message quotes the item.
      return { unsupported: 'the SDK has no API form for it' };
    }
  }
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
    // As it would arrive: what is undefined is not sent.
    const sent: unknown = isObject(body) ? JSON.parse(JSON.stringify(body['items'])) : undefined;
    received = Array.isArray(sent) ? sent.filter((item) => isInputItem(item)) : [];
  };
  await session({ create }).addItems(structuredClone([...items]));
  return received;
}

/** The SDK's session on a client that can do no more than this. */
function session(items: object): OpenAIConversationsSession {
  const client: unknown = { conversations: { items } };
  if (!isClient(client)) throw new TypeError('a client has conversations');
  return new OpenAIConversationsSession({ client, conversationId: CONVERSATION });
}

/** For the SDK's session, which asks nothing else of a client than the items of a conversation. */
function isClient(value: unknown): value is OpenAI {
  return isObject(value) && isObject(value['conversations']);
}

/** What the SDK's reading leaves out is put back; where it drops more than that the item is kept as the API gave it. */
function complete(raw: JsonObject, item: AgentInputItem | undefined): AgentInputItem {
  const parts = partsOf(raw);
  if (item === undefined || !isWhole(raw, parts, { ...item })) {
    return {
      type: 'unknown',
      ...(typeof raw['id'] === 'string' ? { id: raw['id'] } : {}),
      providerData: { ...raw },
    };
  }
  const field = item.type === 'function_call_result' ? 'output' : 'content';
  const converted: unknown = Reflect.get(item, field);
  if (parts === undefined || !Array.isArray(converted)) return item;
  const detailed = converted.map((part: unknown, index) => withForgotten(part, parts[index]));
  return { ...item, [field]: detailed };
}

/** The content of those items that hold parts. */
function partsOf(raw: JsonObject): readonly unknown[] | undefined {
  const parts =
    raw['type'] === 'function_call_output'
      ? raw['output']
      : raw['type'] === 'message'
        ? raw['content']
        : undefined;
  return Array.isArray(parts) ? parts : undefined;
}

/** Whether it is the same item, and not one that the SDK read out of its output, with all of its parts. */
function isWhole(raw: JsonObject, parts: readonly unknown[] | undefined, converted: JsonObject): boolean {
  if (typeof raw['id'] === 'string' && converted['id'] !== raw['id']) return false;
  if (parts === undefined) return true;
  const content = converted['type'] === 'function_call_result' ? converted['output'] : converted['content'];
  // A system message becomes one string, of its texts alone.
  if (typeof content === 'string') return parts.every((part) => isText(part));
  return Array.isArray(content) && content.length === parts.length;
}

function isText(part: unknown): boolean {
  return isObject(part) && (part['type'] === 'input_text' || part['type'] === 'text');
}

/**
 * What a model reads and the SDK forgets when it reads a part: an image's or a file's detail.
 *
 * Also the ID of an uploaded image, which the SDK gives up for a URL: the ID is what was sent, and it does not expire.
 */
function withForgotten(part: unknown, raw: unknown): unknown {
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
  if (!MADE_BY_SERVER.has(converted.type ?? 'message') || typeof known !== 'string') return converted;
  if ('id' in converted && converted.id !== undefined) return converted;
  return withId(converted, known);
}

/** The same item under an ID: where the API knows that one, it takes the stored item and ignores the content. */
export function withId(converted: ApiInputItem, id: string): ApiInputItem {
  const linked: unknown = { ...converted, id };
  return isInputItem(linked) ? linked : converted;
}

/** The SDK made it: that it is an object is all that is left to check. */
function isInputItem(value: unknown): value is ApiInputItem {
  return isObject(value);
}
