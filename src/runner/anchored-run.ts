import type { AgentInputItem, Session } from '@openai/agents';
import { isObject } from '../ledger/json.ts';
import { anchorItem } from '../model/anchor.ts';
import type { Chain } from '../model/chain.ts';
import { dropAnchor, expandState, isFinished, ownInput } from './anchored-state.ts';
import { sessionWith } from './session-with.ts';

/** The session as the runner sees it: the first read gives the anchor in place of the history. */
export function anchoredSession(session: Session, anchor: AgentInputItem): Session {
  let isRead = false;
  const getItems = async (...args: Parameters<Session['getItems']>): Promise<AgentInputItem[]> => {
    if (isRead) return session.getItems(...args);
    isRead = true;
    return [anchor];
  };
  return sessionWith(session, { getItems });
}

/** The anchor of the session's history, as an item; undefined where the history has to be handed over whole. */
export async function anchorFor(chain: Chain): Promise<AgentInputItem | undefined> {
  const found = await chain.history.anchor();
  if (typeof found === 'object') return anchorItem(found);
  chain.history.unanchored(found);
  return undefined;
}

/**
 * Takes the anchor out of what a run leaves behind: a run that ended keeps what was its own, one that can be resumed gets
 * the whole history.
 *
 * Where that cannot be read the anchor stays: a `HybridRunner` can resume the state all the same.
 */
export async function settle(state: unknown, chain: Chain): Promise<void> {
  if (isFinished(state)) dropAnchor(state);
  else await expandState(state, chain).catch(() => chain.history.unanchored('ledger-unavailable'));
}

/** Settles the state of a run that failed, if the error has one. */
export async function settleError(error: unknown, chain: Chain): Promise<void> {
  const state = isObject(error) ? error['state'] : undefined;
  if (state !== undefined) await settle(state, chain);
}

/** Settles a streamed run before its stream ends, and keeps the anchor out of sight until then. */
export function settleStream(result: { readonly state: unknown }, chain: Chain): void {
  for (const end of ['_done', '_raiseError'] as const) {
    const original: unknown = Reflect.get(result, end);
    if (typeof original !== 'function') continue;
    Reflect.set(result, end, (...args: unknown[]) => {
      void settle(result.state, chain).then(() => original.apply(result, args));
    });
  }
  // Not `input`: the runner itself reads it there until the stream has ended.
  const history = (): AgentInputItem[] => Reflect.get(Object.getPrototypeOf(result), 'history', result);
  Object.defineProperty(result, 'history', { configurable: true, get: () => ownInput(history()) });
}
