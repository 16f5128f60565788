import { isObject, textOf, type JsonObject } from '../util/json.ts';

/** The kind, name and place of a picture, a file or a recording, without its data. */
export interface MediaView {
  /** `image`, `file` or `audio`. */
  readonly kind: string;
  readonly name: string | undefined;
  /** A URL, the ID of an upload, or media type and size of embedded data. */
  readonly reference: string;
}

const KINDS: Readonly<Record<string, string>> = {
  input_image: 'image',
  image: 'image',
  computer_screenshot: 'image',
  input_file: 'file',
  file: 'file',
  audio: 'audio',
  input_audio: 'audio',
};

/** The fields that may hold the reference of a part; the first one counts. */
const SOURCES = [
  'image',
  'imageUrl',
  'image_url',
  'file',
  'fileUrl',
  'file_url',
  'fileId',
  'file_id',
  'fileData',
  'file_data',
  'audio',
  'url',
  'id',
  'data',
];

/** The part as media; undefined for a part of another kind. Pure. */
export function mediaOf(part: JsonObject): MediaView | undefined {
  const kind = KINDS[textOf(part['type'])];
  if (kind === undefined) return undefined;
  const inner = isObject(part[kind]) ? part[kind] : {};
  const name = textOf(part['filename'] ?? inner['filename']);
  const reference = referenceOf(part, textOf(part['mediaType'])) ?? 'not given';
  return { kind, name: name === '' ? undefined : name, reference };
}

/** The text, or media type and size where it is embedded data. */
export function shortenMedia(text: string): string {
  return text.startsWith('data:') ? embedded(text) : text;
}

function referenceOf(value: JsonObject, mediaType: string): string | undefined {
  for (const key of SOURCES) {
    const source = value[key];
    if (isObject(source)) return referenceOf(source, textOf(source['mediaType'] ?? mediaType));
    if (typeof source !== 'string' || source === '') continue;
    if (/^https?:/i.test(source) || source.startsWith('file-')) return source;
    return key.endsWith('d') && !key.startsWith('data') ? source : embedded(source, mediaType);
  }
  return undefined;
}

/** Base64 has four characters for three bytes. */
function embedded(data: string, mediaType = ''): string {
  const comma = data.startsWith('data:') ? data.indexOf(',') : -1;
  const [declared = ''] = comma === -1 ? [] : data.slice('data:'.length, comma).split(';', 1);
  const type = declared === '' ? mediaType : declared;
  let end = data.length;
  while (end > comma + 1 && data.charAt(end - 1) === '=') end -= 1;
  const bytes = Math.floor(((end - comma - 1) * 3) / 4);
  return `embedded${type === '' ? '' : ` ${type}`}, ${bytes.toLocaleString('en')} bytes`;
}
