import { isJsonObject, type JsonObject } from './json.ts';

/** One item as the API stores and sends it: a message, a tool call, a tool result, a reasoning step, ... Frozen. */
export interface SimulatorItem {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Freezes an item and everything in it, so that a script or a listener cannot change it. */
export function frozenItem(item: SimulatorItem): SimulatorItem {
  freezeDeep(item);
  return item;
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeDeep(inner);
}

/** Tells whether an item is a message of the model. */
export function isAssistantMessage(item: JsonObject | SimulatorItem): boolean {
  return item['type'] === 'message' && item['role'] === 'assistant';
}

/** Tells whether an item is a message of the user. */
export function isUserMessage(item: JsonObject | SimulatorItem): boolean {
  return item['type'] === 'message' && item['role'] === 'user';
}

/**
 * The text of an item: of all its parts for a message, the output for a tool result, the arguments for a tool call;
 * parts that are not text (an image, a file) count as nothing.
 */
export function textOf(item: object): string {
  const fields: JsonObject = { ...item };
  const { content, output, summary } = fields;
  if (content !== undefined && content !== null) return partsText(content);
  if (output !== undefined) return partsText(output);
  if (Array.isArray(summary)) return partsText(summary);
  const { arguments: args, input } = fields;
  return typeof args === 'string' ? args : typeof input === 'string' ? input : '';
}

function partsText(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) return '';
  return parts.map(partText).join('');
}

function partText(part: unknown): string {
  if (!isJsonObject(part)) return '';
  const text = part['text'] ?? part['refusal'];
  return typeof text === 'string' ? text : '';
}
