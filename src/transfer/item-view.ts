import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf, type JsonObject } from '../ledger/json.ts';
import { mediaOf, shortenMedia, type MediaView } from './media-view.ts';

/** A piece of an item as people read it. */
export type ItemBlock =
  /** What somebody said, to be read as prose. */
  | { readonly type: 'text'; readonly label?: string; readonly text: string }
  /** What a program said or reads. */
  | { readonly type: 'code'; readonly label: string; readonly text: string; readonly language: string }
  /** A picture, a file, a recording: what it is, and where. */
  | ({ readonly type: 'media' } & MediaView)
  | { readonly type: 'note'; readonly text: string };

/** An item as people read it: who or what it is, and its content piece by piece. */
export interface ItemView {
  /** Such as `User`, `Call of`, `Result of`. */
  readonly title: string;
  /** The tool's name, which anybody may have made up. */
  readonly name: string | undefined;
  /** What a call and its result have in common. */
  readonly callId: string | undefined;
  readonly blocks: readonly ItemBlock[];
}

const ROLES: Readonly<Record<string, string>> = { user: 'User', assistant: 'Assistant', system: 'System' };

const TITLES: Readonly<Record<string, string>> = {
  reasoning: 'Reasoning',
  compaction: 'Compaction',
  function_call: 'Function call',
  function_call_result: 'Function result',
  hosted_tool_call: 'Hosted tool',
  unknown: 'Unknown item',
  computer_call: 'Computer use',
  computer_call_result: 'Screenshot',
  shell_call: 'Shell call',
  shell_call_output: 'Shell output',
  apply_patch_call: 'Patch',
  apply_patch_call_output: 'Result of the patch',
  program: 'Program',
  program_output: 'Result of the program',
  tool_search_call: 'Tool search',
  tool_search_output: 'Tools found',
};

/** Types whose name is the tool's. */
const NAMED = new Set(['function_call', 'function_call_result', 'hosted_tool_call']);

/** Fields that say which item it is, and not what is in it. */
const IDENTITY = new Set(['type', 'id', 'callId', 'status', 'role', 'caller', 'namespace']);

/** How an item reads. Pure; an item of a type that is not known here shows all that it holds. */
export function viewItem(item: AgentInputItem): ItemView {
  const fields: JsonObject = { ...item };
  const type = textOf(fields['type'] ?? 'message');
  const callId = typeof fields['callId'] === 'string' ? fields['callId'] : undefined;
  const name = NAMED.has(type) && typeof fields['name'] === 'string' ? fields['name'] : undefined;
  return { title: titleOf(type, fields), name, callId, blocks: blocksOf(type, fields) };
}

/** What an item of this kind is called, when only its kind may be told. */
export function titleOfKind(kind: string): Pick<ItemView, 'title' | 'name'> {
  const at = kind.indexOf(':');
  const [type, rest] = at === -1 ? [kind, ''] : [kind.slice(0, at), kind.slice(at + 1)];
  if (type === 'message') return { title: ROLES[rest] ?? rest, name: undefined };
  return { title: TITLES[type] ?? type, name: rest === '' ? undefined : rest };
}

function titleOf(type: string, fields: JsonObject): string {
  if (type === 'message') return titleOfKind(`message:${textOf(fields['role'])}`).title;
  if (type === 'function_call') return 'Call of';
  if (type === 'function_call_result') return 'Result of';
  const data = fields['providerData'];
  if (type === 'unknown' && isObject(data) && textOf(data['type']) !== '') return textOf(data['type']);
  return TITLES[type] ?? type;
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

/** Every field that has not been said yet. */
function rest(fields: JsonObject): ItemBlock[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    if (IDENTITY.has(key) || value === undefined || value === null) return [];
    if (key === 'name' && NAMED.has(textOf(fields['type']))) return [];
    return [json(key, value)];
  });
}

/** A value as JSON; a text that holds JSON is shown as the value that it holds. */
function json(label: string, value: unknown): ItemBlock {
  if (typeof value !== 'string') return code(label, pretty(value), 'json');
  try {
    return code(label, pretty(JSON.parse(value)), 'json');
  } catch {
    return code(label, shortenMedia(value), '');
  }
}

function pretty(value: unknown): string {
  return (
    JSON.stringify(value, (_key, one: unknown) => (typeof one === 'string' ? shortenMedia(one) : one), 2) ??
    ''
  );
}

function code(label: string, text: string, language: string): ItemBlock {
  return { type: 'code', label, text, language };
}
