import { entriesOf, isObject, stableJson, textOf, type JsonObject } from './json.ts';

/** A canonical value: what a model reads, as arrays whose first element says what they are. */
export type Canonical = string | number | boolean | null | readonly Canonical[];

/**
 * The parts of a message. A string and one text part are the same to a model: the API stores the string as a part.
 */
export function canonicalParts(content: unknown): Canonical {
  if (typeof content === 'string') return [['text', content]];
  if (!Array.isArray(content)) return [];
  return content.map((part: unknown) => canonicalPart(part));
}

/**
 * What a function call returned. A `text` object goes out as a string, so it is one; a part list stays a list.
 */
export function canonicalOutput(output: unknown): Canonical {
  if (typeof output === 'string') return ['text', output];
  if (Array.isArray(output)) return ['parts', output.map((part: unknown) => canonicalPart(part))];
  if (!isObject(output)) return ['text', String(output)];
  if (output['type'] === 'text') return ['text', textOf(output['text'])];
  return ['parts', [canonicalPart(output)]];
}

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
      return ['file', fileReference(part), fileName(part)];
    case 'audio':
      return [
        'audio',
        reference(part['audio'], undefined),
        textOf(part['format']),
        textOf(part['transcript']),
      ];
    default:
      return ['part', stableJson(withoutProviderData(part))];
  }
}

/** `auto` is what the API assumes when nothing is said. */
function detailOf(part: JsonObject): Canonical {
  const detail = part['detail'];
  return typeof detail === 'string' && detail !== 'auto' ? detail : null;
}

function imageReference(part: JsonObject): Canonical {
  return reference(
    part['image'] ?? part['imageUrl'] ?? idObject(part['fileId']) ?? part['data'],
    part['mediaType'],
  );
}

function fileReference(part: JsonObject): Canonical {
  return reference(
    part['file'] ?? part['fileUrl'] ?? idObject(part['fileId'] ?? part['id']) ?? part['fileData'],
    part['mediaType'],
  );
}

function fileName(part: JsonObject): Canonical {
  const name = part['filename'] ?? (isObject(part['file']) ? part['file']['filename'] : undefined);
  return typeof name === 'string' ? name : null;
}

/** A URL, inline data or an uploaded file, in the one form that it has on the wire. */
function reference(value: unknown, mediaType: unknown): Canonical {
  if (typeof value === 'string') return ['data', value.trim()];
  if (!isObject(value)) return null;
  if (typeof value['url'] === 'string') return ['data', value['url'].trim()];
  if (typeof value['data'] === 'string')
    return ['data', inlineData(value['data'], value['mediaType'] ?? mediaType)];
  const id = value['id'] ?? value['fileId'];
  return typeof id === 'string' ? ['id', id] : ['value', stableJson(value)];
}

function inlineData(data: string, mediaType: unknown): string {
  if (data.startsWith('data:') || typeof mediaType !== 'string' || mediaType === '') return data;
  return `data:${mediaType};base64,${data}`;
}

function idObject(id: unknown): JsonObject | undefined {
  return typeof id === 'string' ? { id } : undefined;
}

function withoutProviderData(part: JsonObject): JsonObject {
  return Object.fromEntries(entriesOf(part).filter(([key]) => key !== 'providerData'));
}
