import type { AgentInputItem } from '@openai/agents';
import { fieldsOf, isDeeper, isObject, textOf, type JsonObject } from '../util/json.ts';
import { MESSAGE_ROLES, SDK_TYPES } from './item-types.ts';
import { mediaOf, shortenMedia, type MediaView } from './media-view.ts';
import { splitKind } from './read-item.ts';

/** A piece of an item as people read it. */
export type ItemBlock =
  /** Text of a message or a result, shown as prose. */
  | { readonly type: 'text'; readonly label?: string; readonly text: string }
  /** Input or output of a program. */
  | { readonly type: 'code'; readonly label: string; readonly text: string; readonly language: string }
  /** A picture, a file or a recording. */
  | ({ readonly type: 'media' } & MediaView)
  | { readonly type: 'note'; readonly text: string };

/** An item as people read it. */
export interface ItemView {
  /** Such as `User`, `Call of`, `Result of`. */
  readonly title: string;
  /** The tool's name, as the model or the server wrote it: untrusted. */
  readonly name: string | undefined;
  /** The ID that a call and its result have in common. */
  readonly callId: string | undefined;
  readonly blocks: readonly ItemBlock[];
}

const ROLES = new Map(Object.entries(MESSAGE_ROLES));

/** Deeper values are written in one line: their indents would be many times longer than the values. */
const MAX_INDENTED_LEVELS = 20;

/** Fields that identify an item and are not its content. */
const IDENTITY = new Set(['type', 'id', 'callId', 'status', 'role', 'caller', 'namespace']);

/** The view of an item. Pure. An item of a type without rules of its own shows all its fields. */
export function viewItem(item: AgentInputItem): ItemView {
  const fields = fieldsOf(item);
  const type = textOf(fields['type'] ?? 'message');
  const callId = typeof fields['callId'] === 'string' ? fields['callId'] : undefined;
  const name = hasName(type) && typeof fields['name'] === 'string' ? fields['name'] : undefined;
  return { title: titleOf(type, fields), name, callId, blocks: blocksOf(type, fields) };
}

/** The title of an item of this kind, for an item whose content must not be shown. */
export function titleOfKind(kind: string): Pick<ItemView, 'title' | 'name'> {
  const [type, name] = splitKind(kind);
  if (type === 'message') return { title: ROLES.get(name)?.title ?? name, name: undefined };
  return { title: SDK_TYPES.get(type)?.title ?? type, name: name === '' ? undefined : name };
}

function titleOf(type: string, fields: JsonObject): string {
  if (type === 'message') return titleOfKind(`message:${textOf(fields['role'])}`).title;
  const data = fields['providerData'];
  if (type === 'unknown' && isObject(data) && textOf(data['type']) !== '') return textOf(data['type']);
  const known = SDK_TYPES.get(type);
  return known?.titleBeforeName ?? known?.title ?? type;
}

/** Whether items of the type have the name of a tool. */
function hasName(type: string): boolean {
  return SDK_TYPES.get(type)?.titleBeforeName !== undefined;
}

function blocksOf(type: string, fields: JsonObject): ItemBlock[] {
  switch (type) {
    case 'message':
      return partsOf(fields['content']);
    case 'reasoning':
      return reasoning(fields);
    case 'compaction':
      return [{ type: 'note', text: 'What came before, encrypted.' }];
    case 'function_call':
      return [json('Arguments', fields['arguments'])];
    case 'function_call_result':
      return partsOf(fields['output']);
    case 'computer_call_result':
      return partsOf([fields['output']]);
    case 'shell_call_output':
      return shellOutput(fields['output']);
    case 'program':
      return [code('Code', textOf(fields['code']), 'js')];
    default:
      return rest(fields);
  }
}

/** A message's content or a function's output: a text, an object, or parts. */
function partsOf(content: unknown): ItemBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return (Array.isArray(content) ? content : [content]).map((part: unknown): ItemBlock => {
    const { type, text, refusal }: JsonObject = isObject(part) ? part : {};
    if (typeof text === 'string') return { type: 'text', text };
    if (type === 'refusal' && typeof refusal === 'string')
      return { type: 'text', label: 'Refusal', text: refusal };
    const media = isObject(part) ? mediaOf(part) : undefined;
    return media === undefined ? json('Content', part) : { type: 'media', ...media };
  });
}

function reasoning(fields: JsonObject): ItemBlock[] {
  const texts = [fields['content'], fields['rawContent']].flatMap((content) => partsOf(content ?? []));
  const data = fields['providerData'];
  const sealed =
    isObject(data) && (data['encryptedContent'] ?? data['encrypted_content'] ?? undefined) !== undefined;
  return sealed ? [...texts, { type: 'note', text: 'Encrypted reasoning.' }] : texts;
}

function shellOutput(outputs: unknown): ItemBlock[] {
  return (Array.isArray(outputs) ? outputs : []).flatMap((output: unknown): ItemBlock[] => {
    const { stdout, stderr, outcome }: JsonObject = isObject(output) ? output : {};
    const streams = [
      { label: 'Output', text: textOf(stdout) },
      { label: 'Errors', text: textOf(stderr) },
    ].filter(({ text }) => text !== '');
    return [...streams.map(({ label, text }) => code(label, text, '')), json('Outcome', outcome)];
  });
}

/** Every field that neither the title nor the IDs show. */
function rest(fields: JsonObject): ItemBlock[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    if (IDENTITY.has(key) || value === undefined || value === null) return [];
    if (key === 'name' && hasName(textOf(fields['type']))) return [];
    return [json(key, value)];
  });
}

/** A value as JSON. A text that holds JSON is parsed first. */
function json(label: string, value: unknown): ItemBlock {
  if (typeof value !== 'string') return code(label, pretty(value), 'json');
  try {
    return code(label, pretty(JSON.parse(value)), 'json');
  } catch {
    return code(label, shortenMedia(value), '');
  }
}

function pretty(value: unknown): string {
  return JSON.stringify(value, shortened, isDeeper(value, MAX_INDENTED_LEVELS) ? 0 : 2) ?? '';
}

function shortened(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? shortenMedia(value) : value;
}

function code(label: string, text: string, language: string): ItemBlock {
  return { type: 'code', label, text, language };
}
