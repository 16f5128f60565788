import { errors } from './error-catalogue.ts';
import { isJsonObject, type JsonObject, jsonTypeName, ownEntry } from './json.ts';

const INPUT_PARTS: Readonly<Record<string, readonly string[]>> = {
  input_text: ['text', 'prompt_cache_breakpoint'],
  input_image: ['image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'],
  input_file: ['file_id', 'filename', 'file_data', 'file_url', 'detail', 'prompt_cache_breakpoint'],
};

const OUTPUT_PARTS: Readonly<Record<string, readonly string[]>> = {
  output_text: ['text', 'annotations', 'logprobs'],
  refusal: ['refusal'],
};

const SUMMARY_PARTS: Readonly<Record<string, readonly string[]>> = { summary_text: ['text'] };

/**
 * Checks the content of a message and brings it into the stored form: always parts, with every field the API fills in.
 * @throws ApiError in the API's words.
 */
export function parseContent(content: unknown, role: string, path: string): JsonObject[] {
  const isAssistant = role === 'assistant';
  if (typeof content === 'string')
    return [stored({ type: isAssistant ? 'output_text' : 'input_text', text: content })];
  if (!Array.isArray(content)) {
    throw errors.invalidType(path, 'one of an array of objects or string', jsonTypeName(content));
  }
  const parts = isAssistant ? OUTPUT_PARTS : INPUT_PARTS;
  return content.map((part: unknown, index) => stored(checked(part, parts, `${path}[${index}]`)));
}

function checked(
  part: unknown,
  kinds: Readonly<Record<string, readonly string[]>>,
  path: string,
): JsonObject {
  if (!isJsonObject(part)) throw errors.invalidType(path, 'an object', jsonTypeName(part));
  const { type } = part;
  if (typeof type !== 'string') throw errors.missingParameter(`${path}.type`);
  const known = ownEntry(kinds, type);
  if (!known) throw errors.invalidValue(path, type, Object.keys(kinds));
  for (const key of Object.keys(part)) {
    if (key !== 'type' && !known.includes(key)) throw errors.unknownParameter(`${path}.${key}`);
  }
  checkAnnotations(part['annotations'], `${path}.annotations`);
  const textKey = type === 'refusal' ? 'refusal' : 'text';
  if (known.includes(textKey) && typeof part[textKey] !== 'string') {
    if (part[textKey] === undefined) throw errors.missingParameter(`${path}.${textKey}`);
    throw errors.invalidType(`${path}.${textKey}`, 'a string', jsonTypeName(part[textKey]));
  }
  return part;
}

/** The types of annotations, with their required fields. */
const ANNOTATIONS: Readonly<Record<string, readonly string[]>> = {
  file_citation: ['file_id', 'filename', 'index'],
  url_citation: ['url', 'title', 'start_index', 'end_index'],
  container_file_citation: ['container_id', 'file_id', 'filename', 'start_index', 'end_index'],
  file_path: ['file_id', 'index'],
};

function checkAnnotations(annotations: unknown, path: string): void {
  if (annotations === undefined || annotations === null) return;
  if (!Array.isArray(annotations))
    throw errors.invalidType(path, 'an array of objects', jsonTypeName(annotations));
  for (const [index, annotation] of annotations.entries()) {
    const at = `${path}[${index}]`;
    if (!isJsonObject(annotation)) throw errors.invalidType(at, 'an object', jsonTypeName(annotation));
    const { type } = annotation;
    const required = typeof type === 'string' ? ownEntry(ANNOTATIONS, type) : undefined;
    if (!required) throw errors.invalidValue(at, String(type), Object.keys(ANNOTATIONS));
    for (const key of Object.keys(annotation)) {
      if (key !== 'type' && !required.includes(key)) throw errors.unknownParameter(`${at}.${key}`);
    }
    const missing = required.find((key) => annotation[key] === undefined);
    if (missing !== undefined) throw errors.missingParameter(`${at}.${missing}`);
  }
}

/**
 * Checks the summary of a reasoning step.
 * @throws ApiError in the API's words.
 */
export function checkSummary(summary: unknown, path: string): void {
  if (!Array.isArray(summary)) throw errors.invalidType(path, 'an array of objects', jsonTypeName(summary));
  for (const [index, part] of summary.entries()) checked(part, SUMMARY_PARTS, `${path}[${index}]`);
}

function stored(part: JsonObject): JsonObject {
  const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
  if (part['type'] === 'output_text') return { annotations: [], logprobs: [], ...given };
  return part['type'] === 'input_image' ? { detail: 'auto', ...given } : given;
}
