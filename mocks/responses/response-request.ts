import { checkFields } from '../requests/check-fields.ts';
import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from '../wire/json.ts';
import { parseItem, type ParsedItem } from '../wire/parse-item.ts';
import { parseTrigger } from '../wire/parse-trigger.ts';

/** The input of a model: new items, and the conversation or response to continue. */
export interface ModelInput {
  readonly model: string;
  readonly input: readonly ParsedItem[];
  /** Whether a compaction trigger ended the input. */
  readonly isTriggered: boolean;
  readonly previousResponseId: string | undefined;
  readonly conversationId: string | undefined;
  /** The body as it was sent. */
  readonly sent: JsonObject;
}

/** A request for a response, checked without stored state. */
export interface ResponseRequest extends ModelInput {
  readonly store: boolean;
  readonly stream: boolean;
  readonly background: boolean;
  readonly obfuscation: boolean;
  readonly include: readonly string[];
  /** Whether the model is only to read the input. */
  readonly isWarmUp: boolean;
}

/** The model of a request that names only a prompt, which would name it. */
const PROMPT_MODEL = 'gpt-4.1';

/** The longest string `input`, in characters. */
const MAX_INPUT_LENGTH = 10_485_760;

/**
 * Checks a request for a response in the API's own order: model, input, unknown keys, then field by field.
 * @param isWarmUp whether it asks for no answer; it may then have no input.
 * @throws ApiError in the API's words.
 */
export function parseResponseRequest(sent: JsonObject, isWarmUp: boolean): ResponseRequest {
  const hasState = [sent['previous_response_id'], sent['conversation'], sent['prompt']].some(isGiven);
  if (!isGiven(sent['model']) && !isGiven(sent['prompt'])) throw errors.missingParameter('model');
  if (!isGiven(sent['input']) && !hasState) throw errors.missingParameter('input');
  checkFields(sent, 'responses.create');
  const modelInput = parseModelInput(sent);
  if (modelInput.input.length === 0 && !hasState && !isWarmUp) throw errors.nothingToAnswer();
  const streamOptions = isJsonObject(sent['stream_options']) ? sent['stream_options'] : {};
  return {
    ...modelInput,
    store: sent['store'] !== false,
    stream: sent['stream'] === true,
    background: sent['background'] === true,
    obfuscation: streamOptions['include_obfuscation'] !== false,
    include: Array.isArray(sent['include']) ? sent['include'].map(String) : [],
    isWarmUp,
  };
}

/**
 * Checks a request that makes no response: for a count or a compaction.
 * @throws ApiError in the API's words.
 */
export function parseInputRequest(
  sent: JsonObject,
  kind: 'responses.compact' | 'responses.inputTokens.count',
): ModelInput {
  checkFields(sent, kind);
  return parseModelInput(sent);
}

/** Reads the model's input from a checked request. */
function parseModelInput(sent: JsonObject): ModelInput {
  const { model, previous_response_id: previous } = sent;
  const { items, isTriggered } = parseTrigger(itemsOf(sent['input']), sent['max_output_tokens']);
  return {
    model: typeof model === 'string' ? model : PROMPT_MODEL,
    input: items.map((item, index) => parseItem(item, `input[${index}]`)),
    isTriggered,
    previousResponseId: typeof previous === 'string' ? previous : undefined,
    conversationId: conversationIdOf(sent['conversation']),
    sent,
  };
}

/** How many other tokens each token of the answer has beside its probability; `undefined` if none are asked for. */
export function topLogprobsOf({ sent, include }: ResponseRequest): number | undefined {
  const { top_logprobs: top } = sent;
  if (typeof top === 'number') return top;
  return include.includes('message.output_text.logprobs') ? 0 : undefined;
}

function itemsOf(input: unknown): readonly unknown[] {
  if (!isGiven(input) || input === '') return [];
  if (typeof input === 'string') {
    if (input.length > MAX_INPUT_LENGTH) throw errors.stringTooLong('input', MAX_INPUT_LENGTH, input.length);
    return [{ role: 'user', content: input }];
  }
  if (!Array.isArray(input)) {
    throw errors.invalidType('input', 'one of a string or array of input items', jsonTypeName(input));
  }
  return input;
}

function conversationIdOf(value: unknown): string | undefined {
  if (!isGiven(value)) return undefined;
  if (typeof value === 'string') return value;
  if (!isJsonObject(value))
    throw errors.invalidType('conversation', 'one of a string or object', jsonTypeName(value));
  if (typeof value['id'] !== 'string') throw errors.missingParameter('conversation.id');
  return value['id'];
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
