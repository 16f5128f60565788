import type { Secrets } from './secrets.ts';

/** A body as a recording keeps it: JSON as such, another text, or bytes. */
export type RecordedBody =
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly base64: string };

/** A body for the file, without secrets. The random boundary of a form gets a fixed name. */
export function recordBody(bytes: Uint8Array, contentType: string, secrets: Secrets): RecordedBody {
  const buffer = Buffer.from(bytes);
  const boundary = /boundary="?([^";]+)/.exec(contentType)?.[1];
  if (boundary !== undefined)
    return { text: secrets.removedFromText(buffer.toString('latin1').replaceAll(boundary, 'boundary')) };
  const text = buffer.toString();
  if (!Buffer.from(text).equals(buffer)) return { base64: buffer.toString('base64') };
  try {
    return { json: secrets.removedFrom(JSON.parse(text)) };
  } catch {
    return {
      text:
        text.startsWith('event:') || text.startsWith('data:')
          ? eventsOf(text, secrets)
          : secrets.removedFromText(text),
    };
  }
}

/** The bytes of a recorded body. */
export function bytesOf(body: RecordedBody): Uint8Array<ArrayBuffer> {
  if ('json' in body) return new Uint8Array(Buffer.from(JSON.stringify(body.json)));
  return new Uint8Array('text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64'));
}

/** Events of a stream; the data of each may be JSON with secrets in it. */
function eventsOf(text: string, secrets: Secrets): string {
  return text.replaceAll(/^data: ?(.*)$/gm, (line: string, data: string) => {
    try {
      return `data: ${JSON.stringify(secrets.removedFrom(JSON.parse(data)))}`;
    } catch {
      return secrets.removedFromText(line);
    }
  });
}
