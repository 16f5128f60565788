import { refuseUnknown } from '../known-names.ts';
import type { ModelRequest } from '../model/answer.ts';
import { quote } from '../model/item-name.ts';
import { isUserMessage, textOf, type SimulatorItem } from '../wire/item.ts';
import { isJsonObject } from '../wire/json.ts';
import { letterOf } from '../wire/outline.ts';

/** Which requests a reply is for; a request must fit every given field. A string in `input` is a part of the text. */
export interface RequestMatch {
  /** The model that was asked. */
  model?: string | RegExp;
  /** The text of the newest user message in the model's context. */
  input?: string | RegExp;
  /** A tool whose output is the newest item of the context, or one of several newest outputs. */
  tool?: string | RegExp;
  /** The agent, told by its instructions: an `Agent` of the SDK fits. The API is never sent its name. */
  agent?: { readonly instructions: unknown };
}

/** A request of the model, with everything that the model sees. */
export interface AskedModel {
  readonly context: readonly SimulatorItem[];
  readonly request: ModelRequest;
}

/**
 * Checks a match.
 * @throws RangeError for an unknown field; it names the right ones.
 * @throws TypeError for an agent without instructions of its own.
 */
export function checkMatch(match: RequestMatch): void {
  const given: unknown = match;
  if (!isJsonObject(given)) throw new RangeError('Cannot script a reply: the match must be an object');
  refuseUnknown('Cannot script a reply: the match', match, ['model', 'input', 'tool', 'agent']);
  for (const field of ['model', 'input', 'tool'] as const) {
    const value = given[field];
    if (value !== undefined && typeof value !== 'string' && !(value instanceof RegExp))
      throw new RangeError(`Cannot script a reply: "${field}" must be a text or a pattern`);
  }
  const { agent } = match;
  if (agent !== undefined && (typeof agent.instructions !== 'string' || agent.instructions === ''))
    throw new TypeError(
      'Cannot script a reply: "agent" must have instructions that are a text; match others by model, input or tool',
    );
}

/** The reason why a request does not fit; `undefined` if it fits. */
export function mismatch(match: RequestMatch, { context, request }: AskedModel): string | undefined {
  const { model, input, tool, agent } = match;
  if (
    model !== undefined &&
    !(typeof model === 'string' ? model === request.model : isIn(request.model, model))
  )
    return `the model is ${request.model}`;
  if (agent !== undefined && agent.instructions !== request.instructions)
    return 'the instructions are others';
  if (input !== undefined) {
    const asked = context.findLast(isUserMessage);
    if (asked === undefined) return 'there is no user message';
    if (!isIn(textOf(asked), input)) return `the input is ${quote(textOf(asked))}`;
  }
  if (tool === undefined) return undefined;
  const tools = toolsThatAnswered(context);
  if (tools.some((name) => (typeof tool === 'string' ? name === tool : isIn(name, tool)))) return undefined;
  return tools.length === 0 ? 'the newest item is no tool output' : `the tool is ${tools.join(', ')}`;
}

/** Describes a match as it was written. */
export function describeMatch(match: RequestMatch): string {
  const fields = Object.entries(match).flatMap(([field, value]: [string, unknown]) => {
    if (value === undefined) return [];
    return [
      `${field}: ${value instanceof RegExp ? String(value) : typeof value === 'string' ? quote(value) : '…'}`,
    ];
  });
  return fields.length === 0 ? 'when({})' : `when({ ${fields.join(', ')} })`;
}

function isIn(text: string, part: string | RegExp): boolean {
  return typeof part === 'string' ? text.includes(part) : text.search(part) !== -1;
}

/** The tools of the outputs at the end of a context. */
function toolsThatAnswered(context: readonly SimulatorItem[]): string[] {
  const last = context.findLastIndex((item) => letterOf(item) !== 'r');
  return context.slice(last + 1).flatMap((output) => {
    const call = context.find(
      (item) =>
        letterOf(item) === 'c' && item['call_id'] !== undefined && item['call_id'] === output['call_id'],
    );
    return typeof call?.['name'] === 'string' ? [call['name']] : [];
  });
}
