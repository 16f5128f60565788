import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { isObject } from '../ledger/json.ts';

/** Runs a request; an answer that cannot be read becomes a typed error, everything else passes through untouched. */
export async function believed<T>(operation: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const problem = problemOf(error);
    if (problem !== undefined)
      throw new InvalidResponseError(operation, problem, { cause: withoutContent(error) });
    throw error;
  }
}

/**
 * Runs a request that takes something away. What is left when it only seems so is left for ever, so a page of a gateway
 * or an error that came with status 200 does not count as done.
 */
export async function acknowledged(operation: string, request: () => Promise<unknown>): Promise<void> {
  const answer = await believed(operation, request);
  if (typeof answer === 'string' || (isObject(answer) && isObject(answer['error'])))
    throw new InvalidResponseError(operation, 'it does not say that it was done');
}

/** The client reads the fields of an answer without looking; what fails on the network it wraps. */
function problemOf(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return 'it is not JSON';
  if (!(error instanceof TypeError) || error.message.includes('not a function')) return undefined;
  return /\bof null|\bof undefined/.test(error.message) ? 'it is empty' : 'it is not what was asked for';
}

/** The message quotes what could not be read. */
function withoutContent(error: unknown): Error {
  return new Error(error instanceof Error ? error.name : 'Error');
}
