import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from '../wire/json.ts';

/**
 * Reads a request's body, and stops at the limit.
 * @throws ApiError 413 if it is longer than `limit` bytes.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body) {
    const reader = request.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const chunk: Uint8Array = read.value;
      size += chunk.byteLength;
      if (size > limit) {
        await reader.cancel();
        throw errors.bodyTooLarge(limit);
      }
      chunks.push(chunk);
    }
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * Parses a body; an empty one is `{}`.
 * @throws ApiError 400 if it is not a JSON object.
 */
export function parseBody(text: string): JsonObject {
  if (text.trim() === '') return {};
  const value = parseJson(text);
  if (!isJsonObject(value)) throw errors.bodyNotObject(jsonTypeName(value));
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw errors.invalidJson();
  }
}
