import type { AgentInputItem } from '@openai/agents';
import { fieldsOf, isObject, textOf, type JsonObject } from '../util/json.ts';
import { apiName, currentName, itemType, SDK_TYPES, WRAPPERS } from './item-types.ts';

/** The provider's own fields of an item; empty when there are none. */
export function providerDataOf(item: AgentInputItem): JsonObject {
  const data = item.providerData;
  return isObject(data) ? data : {};
}

/** The ID of an item, on the item or in its provider data. */
export function idOf(item: AgentInputItem): string | undefined {
  const id = 'id' in item && item.id !== undefined ? item.id : providerDataOf(item)['id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** The API's name of an item's type. Where the SDK wraps the item, its provider data has the type. */
export function apiTypeOf(item: AgentInputItem): string {
  const fields = fieldsOf(item);
  const type = textOf(fields['type'] ?? 'message');
  return isWrapper(type)
    ? currentName(textOf(providerDataOf(item)['type'] ?? fields['name']))
    : apiName(type);
}

/** A field of an item: the SDK's, or else the API's of that name in the provider data. */
export function fieldOf(item: AgentInputItem, name: string): unknown {
  return fieldsOf(item)[name] ?? providerDataOf(item)[name];
}

/** The kind of an item, such as `message:assistant`: it names an item whose content must not be shown. */
export function kindOf(item: AgentInputItem): string {
  const fields = fieldsOf(item);
  const type = textOf(fields['type'] ?? 'message');
  if (type === 'message') return `message:${textOf(fields['role'])}`;
  if (type === 'hosted_tool_call') return `${type}:${textOf(fields['name'])}`;
  return type;
}

/** Whether an item of this kind calls a tool, of the client or of the server. */
export function callsTool(kind: string): boolean {
  return splitKind(kind)[0].endsWith('_call');
}

/** The name of the tool that an item calls; undefined for another item. */
export function calledName(item: AgentInputItem): string | undefined {
  const kind = kindOf(item);
  if (!callsTool(kind)) return undefined;
  const [type, hosted] = splitKind(kind);
  const name = 'name' in item ? item.name : undefined;
  return typeof name === 'string' && name !== '' ? name : hosted || type.replace(/_call$/, '');
}

/** Splits a kind into the SDK's type, and the role of a message or the name of a hosted tool. */
export function splitKind(kind: string): readonly [type: string, name: string] {
  const at = kind.indexOf(':');
  return at === -1 ? [kind, ''] : [kind.slice(0, at), kind.slice(at + 1)];
}

/** Whether a model made an item or was given it. Reasoning is neither: no digest covers it. */
export type ItemRole = 'input' | 'output' | 'reasoning';

/** The role of an item of this type. A response returns its additions to the context in its output. */
export function roleOfType(apiType: string, messageRole: unknown): ItemRole {
  const { role } = itemType(apiType);
  if (role === 'reasoning') return 'reasoning';
  if (role === 'message') return messageRole === 'assistant' ? 'output' : 'input';
  return role === 'result' ? 'input' : 'output';
}

/** The role of an item of this kind. */
export function roleOfKind(kind: string): ItemRole {
  return roleOfType(typeOfKind(kind), splitKind(kind)[1]);
}

/** The indexes of the items at which a turn begins: a message for the model, behind an item that is none. */
export function turnStarts(kinds: readonly string[]): number[] {
  return kinds.flatMap((kind, index) => {
    const before = kinds[index - 1];
    return isMessageForModel(kind) && (before === undefined || !isMessageForModel(before)) ? [index] : [];
  });
}

/** Whether an item of this kind is a message for the model, with which a turn can begin. */
export function isMessageForModel(kind: string): boolean {
  return roleOfKind(kind) === 'input' && !isResultKind(kind);
}

/** Whether an item of this kind answers a call. */
export function isResultKind(kind: string): boolean {
  return itemType(typeOfKind(kind)).role === 'result';
}

/** Whether an item of this kind can be a call that the client answers. */
export function isCallKind(kind: string): boolean {
  return itemType(typeOfKind(kind)).answeredBy !== undefined;
}

/** Whether an item of this kind is written to a conversation with its ID. */
export function keepsId(kind: string): boolean {
  return SDK_TYPES.get(splitKind(kind)[0])?.keepsId === true;
}

function typeOfKind(kind: string): string {
  const [type, name] = splitKind(kind);
  return type === 'hosted_tool_call' ? currentName(name) : apiName(type);
}

function isWrapper(type: string): boolean {
  return Object.hasOwn(WRAPPERS, type);
}
