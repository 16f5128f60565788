import { InvalidResponseError } from '../errors/invalid-response-error.ts';

/** Runs a request; an answer that cannot be read becomes a typed error, everything else passes through untouched. */
export async function believed<T>(operation: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new InvalidResponseError(operation, 'it is not JSON', { cause: withoutContent(error) });
    }
    // The client reads the fields of an answer without looking; what fails on the network it wraps.
    if (error instanceof TypeError) {
      throw new InvalidResponseError(operation, 'it is not an answer to this request', {
        cause: withoutContent(error),
      });
    }
    throw error;
  }
}

/** The message quotes what could not be read. */
function withoutContent(error: Error): Error {
  return new Error(error.name);
}
