import { EMPTY_DIGEST } from '../ledger/digest.ts';
import type { Chain } from './chain.ts';

/** What a session served last. */
interface Served {
  digest: string;
  readonly ref: WeakRef<Chain>;
}

/**
 * Which session served which history last, by digest.
 *
 * A request of the SDK's own runner does not say which session it belongs to. But it begins with the history that the
 * session has just served: where exactly one session served it, that is the one. Two sessions with equal histories
 * cannot be told apart, so neither is chosen.
 */
const served = new Map<string, Set<Served>>();
const current = new WeakMap<Chain, Served>();
const forgotten = new FinalizationRegistry<Served>((last) => remove(last));

/** Notes that a session has served the history of this digest. */
export function noteServed(chain: Chain, digest: string): void {
  let last = current.get(chain);
  if (last?.digest === digest) return;
  if (last === undefined) {
    last = { digest, ref: new WeakRef(chain) };
    current.set(chain, last);
    forgotten.register(chain, last);
  } else {
    remove(last);
    last.digest = digest;
  }
  // Every request begins with nothing.
  if (digest !== EMPTY_DIGEST) served.set(digest, (served.get(digest) ?? new Set()).add(last));
}

/**
 * The one session whose history the contexts begin with, the longest counting.
 *
 * @param except sessions that the request cannot belong to.
 * @returns undefined when there is none, more than one, or it is one of the exceptions.
 */
export function servedBy(contexts: readonly string[], except: readonly Chain[] = []): Chain | undefined {
  if (served.size === 0) return undefined;
  for (const context of contexts.toReversed()) {
    const chains = [...(served.get(context) ?? [])].flatMap(({ ref }) => ref.deref() ?? []);
    const [only, ...others] = chains;
    // Who shows a tool the history of the run around it has not become another session by that.
    if (only !== undefined) return others.length === 0 && !except.includes(only) ? only : undefined;
  }
  return undefined;
}

function remove(last: Served): void {
  const sessions = served.get(last.digest);
  sessions?.delete(last);
  if (sessions?.size === 0) served.delete(last.digest);
}
