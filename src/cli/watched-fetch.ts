/** What a watched `fetch` tells, and what stops it. */
export interface WatchedFetchOptions {
  /** No request begins any more when it says so; one that is under way is waited for, so that its effect is known. */
  readonly signal: AbortSignal;
  /** Is told how many items a request has written to a conversation. */
  readonly onWritten: (items: number) => void;
}

/** A `fetch` that tells what is written, and begins nothing after it was asked to stop. */
export function watchedFetch({ signal, onWritten }: WatchedFetchOptions): typeof fetch {
  return async (input, init) => {
    signal.throwIfAborted();
    const answer = await fetch(input, init);
    if (answer.ok && init?.method?.toUpperCase() === 'POST' && typeof init.body === 'string')
      onWritten(itemsIn(init.body));
    return answer;
  };
}

function itemsIn(body: string): number {
  const parsed: unknown = JSON.parse(body);
  const items: unknown =
    typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'items') : undefined;
  return Array.isArray(items) ? items.length : 0;
}
