import { isObject } from '../../util/json.ts';

const warned = new WeakSet<object>();

/**
 * Warns once for a client that emits errors and has no listener for them: the first restart of its server ends the process.
 *
 * @param store the name of the store, as in `Redis`.
 */
export function warnWithoutErrorListener(store: string, client: object): void {
  // A listener may be registered in the same tick as the store is made.
  queueMicrotask(() => {
    if (!lacksErrorListener(client) || warned.has(client)) return;
    warned.add(client);
    process.emitWarning(
      `The client of the ${store} ledger has no 'error' listener. A restart of the server will end this process; ` +
        "register one: client.on('error', ...)",
      { code: 'HYBRID_SESSION_NO_ERROR_LISTENER' },
    );
  });
}

function lacksErrorListener(client: object): boolean {
  if (!isObject(client) || typeof client['listenerCount'] !== 'function') return false;
  try {
    return client['listenerCount']('error') === 0;
  } catch {
    return false;
  }
}
