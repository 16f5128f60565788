import type { Chain } from './chain.ts';

/**
 * Which session served which history last, by digest.
 *
 * A request of the SDK's own runner does not say which session it belongs to. But it begins with the history that the
 * session has just served: where exactly one session served it, that is the one. Two sessions with equal histories
 * cannot be told apart, so neither is chosen.
 */
const served = new Map<string, Set<WeakRef<Chain>>>();
const current = new WeakMap<Chain, { digest: string; ref: WeakRef<Chain> }>();

/** Notes that a session has served the history of this digest. */
export function noteServed(chain: Chain, digest: string): void {
  const before = current.get(chain);
  if (before?.digest === digest) return;
  const ref = before?.ref ?? new WeakRef(chain);
  if (before === undefined) forgotten.register(chain, ref);
  else drop(before.digest, ref);
  served.set(digest, (served.get(digest) ?? new Set()).add(ref));
  current.set(chain, { digest, ref });
}

/**
 * The one session whose history the contexts begin with, the longest counting.
 *
 * @param except sessions that the request cannot belong to.
 * @returns undefined when there is none, or more than one.
 */
export function servedBy(contexts: readonly string[], except: readonly Chain[] = []): Chain | undefined {
  if (served.size === 0) return undefined;
  for (const context of contexts.slice(1).toReversed()) {
    const refs = served.get(context);
    if (refs === undefined) continue;
    const chains = [...refs].map((ref) => ref.deref()).filter((chain) => chain !== undefined);
    const [only, ...others] = chains.filter((chain) => !except.includes(chain));
    if (only !== undefined) return others.length === 0 ? only : undefined;
  }
  return undefined;
}

const forgotten = new FinalizationRegistry((ref: WeakRef<Chain>) => {
  for (const digest of served.keys()) drop(digest, ref);
});

function drop(digest: string, ref: WeakRef<Chain>): void {
  const refs = served.get(digest);
  refs?.delete(ref);
  if (refs?.size === 0) served.delete(digest);
}
