import { isObject, textOf, type JsonObject } from '../ledger/json.ts';

/** What a picture, a file or a recording is, without what is in it. */
export interface MediaView {
  /** `image`, `file` or `audio`. */
  readonly kind: string;
  readonly name: string | undefined;
  /** A URL, the ID of an upload, or what is embedded: media type and size. */
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

/** Where a part may say what it refers to, in the order in which it counts. */
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

/** The part as media; undefined when it is none. Pure. */
export function mediaOf(part: JsonObject): MediaView | undefined {
  const kind = KINDS[textOf(part['type'])];
  if (kind === undefined) return undefined;
  const inner = isObject(part[kind]) ? part[kind] : {};
  const name = textOf(part['filename'] ?? inner['filename']);
  const reference = referenceOf(part, textOf(part['mediaType'])) ?? 'not given';
  return { kind, name: name === '' ? undefined : name, reference };
}

/** The text with embedded data replaced by what it is. */
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
  const [, declared = '', base64 = data] = /^data:([^;,]*)[^,]*,(.*)$/s.exec(data) ?? [];
  const type = declared === '' ? mediaType : declared;
  const bytes = Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
  return `embedded${type === '' ? '' : ` ${type}`}, ${bytes.toLocaleString('en')} bytes`;
}
