import { encryptedContent } from './encrypted-content.ts';
import { errors } from './error-catalogue.ts';
import type { SimulatorItem } from './item.ts';
import { isJsonObject, type JsonObject } from './json.ts';

const ENCRYPTED = 'reasoning.encrypted_content';

/** The values of `include`. */
export const includable = [
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  ENCRYPTED,
  'message.output_text.logprobs',
] as const;

/**
 * Reads `include[]` (or `include`) of a query.
 * @throws ApiError for a value the API does not know.
 */
export function parseInclude(query: URLSearchParams): string[] {
  const values = [...query.getAll('include[]'), ...query.getAll('include')];
  const unknown = values.find((value) => !includable.some((each) => each === value));
  if (unknown !== undefined) throw errors.invalidValue('include', unknown, includable);
  return values;
}

/** An item as the API shows it: a reasoning step carries its encrypted content only where that was asked for. */
export function shownItem(item: SimulatorItem, include: readonly string[]): SimulatorItem {
  if (item.type !== 'reasoning') return item;
  if (include.includes(ENCRYPTED)) return { encrypted_content: encryptedContent(item.id), ...item };
  const { encrypted_content: _hidden, ...rest } = item;
  return { ...rest, id: item.id, type: item.type };
}

/** A response body as the API shows it. */
export function shownBody(body: JsonObject, include: readonly string[]): JsonObject {
  const { output } = body;
  if (!Array.isArray(output)) return body;
  return { ...body, output: output.map((item: unknown) => (isItem(item) ? shownItem(item, include) : item)) };
}

function isItem(value: unknown): value is SimulatorItem {
  return isJsonObject(value) && typeof value['id'] === 'string' && typeof value['type'] === 'string';
}
