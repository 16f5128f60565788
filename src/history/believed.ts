import { InvalidResponseError } from '../errors/invalid-response-error.ts';

/** Runs a request; an answer that is not JSON, or null, becomes a typed error, everything else passes through untouched. */
export async function believed<T>(operation: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new InvalidResponseError(operation, 'it is not JSON', { cause: withoutContent(error) });
    }
    // The client reads the fields of an answer without looking; what fails on the network it wraps.
    if (error instanceof TypeError && /\bof null|\bof undefined/.test(error.message)) {
      throw new InvalidResponseError(operation, 'it is empty', { cause: withoutContent(error) });
    }
    throw error;
  }
}

/** A parser's message quotes what it could not read. */
function withoutContent(error: Error): Error {
  return new Error(error.name);
}
