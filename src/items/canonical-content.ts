import { base64Of, entriesOf, isObject, stableJson, textOf, type JsonObject } from '../util/json.ts';

/** The fields that a model reads, as arrays whose first element names them. */
export type Canonical = string | number | boolean | null | readonly Canonical[];

/** A message. Only an assistant's has a phase: the API refuses one on others, and the SDK leaves it out. */
export function canonicalMessage(role: unknown, phase: unknown, content: unknown): Canonical {
  return ['message', textOf(role), role === 'assistant' ? textOf(phase) : '', canonicalParts(content)];
}

/** A string and one text part are equal: the API stores the string as a part. */
function canonicalParts(content: unknown): Canonical {
  if (typeof content === 'string') return [['text', content]];
  if (!Array.isArray(content)) return [];
  return content.map((part: unknown) => canonicalPart(part));
}

/** The output of a function. The SDK sends a `text` object as a string; a list of parts stays a list. */
export function canonicalOutput(output: unknown): Canonical {
  if (Array.isArray(output)) return ['parts', output.map((part: unknown) => canonicalPart(part))];
  if (!isObject(output)) return ['text', String(output)];
  if (output['type'] === 'text') return ['text', textOf(output['text'])];
  return ['parts', [canonicalPart(output)]];
}

/** A part in the SDK's names, or in the API's where the SDK wraps the item. */
function canonicalPart(part: unknown): Canonical {
  if (!isObject(part)) return ['value', stableJson(part)];
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return ['text', textOf(part['text'])];
    case 'refusal':
      return ['refusal', textOf(part['refusal'])];
    case 'input_image':
    case 'image':
      return ['image', imageReference(part), detailOf(part)];
    case 'input_file':
    case 'file':
      return canonicalFile(part);
    case 'audio':
      return ['audio', reference(part['audio']), textOf(part['format']), textOf(part['transcript'])];
    default:
      return ['part', stableJson(withoutProviderData(part))];
  }
}

/** The API's default is `auto`. The SDK has no field for a file's detail, but passes it on. */
function detailOf(part: JsonObject): Canonical {
  const data = part['providerData'];
  const passedOn = part['type'] === 'input_file' && isObject(data) ? data['detail'] : undefined;
  const detail = textOf(part['detail'] ?? passedOn);
  return detail === '' || detail === 'auto' ? null : detail;
}

function imageReference(part: JsonObject): Canonical {
  return reference(
    filled(part['image'], part['imageUrl'], part['image_url']) ??
      object('id', filled(part['fileId'], part['file_id'])) ??
      object('data', part['data']),
    mediaTypeOf(part),
  );
}

/** The API fills in the name of an uploaded file. Only other files bring a name. */
function canonicalFile(part: JsonObject): Canonical {
  const legacy = part['type'] === 'file';
  const mediaType = mediaTypeOf(part) ?? (legacy ? 'text/plain' : undefined);
  const data = filled(part['fileData'], part['file_data']);
  const file = reference(
    filled(part['file'], part['fileUrl'], part['file_url']) ??
      object('id', filled(part['fileId'], part['file_id'], legacy ? part['id'] : undefined)) ??
      (legacy ? object('data', data) : data),
    mediaType,
  );
  const inner = legacy && isObject(part['file']) ? part['file']['filename'] : undefined;
  const name = Array.isArray(file) && file[0] === 'id' ? undefined : filled(part['filename'], inner);
  return ['file', file, typeof name === 'string' ? name : null, detailOf(part)];
}

/** A URL, inline data or an uploaded file, in the one form that it has on the wire. */
function reference(value: unknown, mediaType?: string): Canonical {
  if (typeof value === 'string') return ['data', value.trim()];
  if (!isObject(value)) return null;
  const url = filled(value['url']);
  if (typeof url === 'string') return ['data', url.trim()];
  const data = filled(value['data']);
  if (typeof data === 'string') return ['data', inlineData(data, mediaTypeOf(value) ?? mediaType)];
  if (data instanceof Uint8Array) {
    return ['data', inlineData(base64Of(data), mediaTypeOf(value) ?? mediaType)];
  }
  const id = filled(value['fileId'], value['id']);
  return typeof id === 'string' ? ['id', id] : ['value', stableJson(value)];
}

function inlineData(data: string, mediaType: string | undefined): string {
  return data.startsWith('data:') || mediaType === undefined ? data : `data:${mediaType};base64,${data}`;
}

function mediaTypeOf(value: JsonObject): string | undefined {
  const mediaType = filled(value['mediaType'], value['mimeType']);
  return typeof mediaType === 'string' ? mediaType : undefined;
}

/** The first value that is present. The SDK reads an empty string as absent. */
function filled(...values: unknown[]): unknown {
  return values.find((value) => value !== undefined && value !== null && value !== '');
}

function object(key: 'id' | 'data', value: unknown): JsonObject | undefined {
  return value === undefined || value === null || value === '' ? undefined : { [key]: value };
}

function withoutProviderData(part: JsonObject): JsonObject {
  return Object.fromEntries(entriesOf(part).filter(([key]) => key !== 'providerData'));
}

/** The program that made a call, empty where the model made it itself; in the SDK's naming or the API's. */
export function callerOf(fields: JsonObject): string {
  const caller = fields['caller'];
  if (!isObject(caller) || caller['type'] !== 'program') return '';
  return textOf(caller['callerId'] ?? caller['caller_id']);
}
