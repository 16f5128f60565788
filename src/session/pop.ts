import type { AgentInputItem } from '@openai/agents';
import { InvalidResponseError } from '../errors/session.ts';
import { sendDelete } from '../conversation/request.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Mode } from '../rollout/mode.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import { toNotFoundError } from '../conversation/api-error.ts';
import type { MirroredConversation } from '../runtime/open.ts';
import { removalSteps } from '../history/steps.ts';
import type { OpenSession, SessionHistory } from '../runtime/read.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { updateMirror } from './append.ts';
import { settleAbandoned } from './settle-drafts.ts';

/**
 * Removes the newest item and returns it; undefined if there is none. Only `off` and `shadow` create a conversation, like the
 * stock session.
 */
export function popItem(runtime: SessionRuntime): Promise<AgentInputItem | undefined> {
  const pop = async (session: OpenSession, mode: Mode): Promise<AgentInputItem | undefined> => {
    await settleAbandoned(runtime, session, mode, await session.ledger.read({ fresh: true }));
    const popped = await popFrom(session, mode);
    await updateMirror(runtime, session.options);
    return popped;
  };
  return runtime.isStock
    ? runtime.run(pop, { begins: true, writes: true })
    : runtime.runIfBegun(pop, { begins: true });
}

async function popFrom({ ledger, history }: OpenSession, mode: Mode): Promise<AgentInputItem | undefined> {
  const listed = await history.listedConversation(mode);
  if (listed === undefined) await history.open(mode);
  return listed === undefined ? popRecorded(ledger, history) : popListed(ledger, listed, history, mode);
}

/**
 * Removes the newest listed item from the history, and returns it in the form of the list.
 *
 * The mirror deletes it from the conversation. An item that the ledger does not know is deleted here. If the list still shows an
 * item that was already removed, the list is stale, so the newest item of the ledger is removed.
 */
async function popListed(
  ledger: Ledger,
  conversation: MirroredConversation,
  history: SessionHistory,
  mode: Mode,
): Promise<AgentInputItem | undefined> {
  const { client, conversationId, stock } = conversation;
  for (let isRechecked = false; ; isRechecked = true) {
    const { items } = await stock.read(1).catch((error: unknown) => {
      throw toNotFoundError(error, conversationId);
    });
    const popped = items.at(-1);
    const id = popped !== undefined && 'id' in popped ? popped.id : undefined;
    if (id === undefined) return popped;
    await ledger.read({ fresh: true });
    let isKnown = false;
    const state = await ledger.append((newest) => {
      const steps = removalSteps(newest, id);
      isKnown = steps.length > 0;
      return steps;
    });
    if (isKnown) return popped;
    if (state.removed.has(id)) return popRecorded(ledger, history);
    if (!isUrlSegment(id))
      throw new InvalidResponseError(
        'conversations.items.list',
        'an item has an ID that cannot be part of a URL',
      );
    if (isRechecked || state.unmirrored.size === 0) {
      await sendDelete(client, 'conversations.items.delete', (how) =>
        client.conversations.items.delete(id, { conversation_id: conversationId }, how),
      );
      return popped;
    }
    // Another session may have written this item without having recorded it yet.
    await history.check(mode);
  }
}

/** Removes the newest item from the ledger, and returns it. The mirror deletes it from the conversation. */
async function popRecorded(ledger: Ledger, history: SessionHistory): Promise<AgentInputItem | undefined> {
  for (;;) {
    await ledger.read({ fresh: true });
    const [last] = (await history.contents(({ entries }) => entries.slice(-1))).restored;
    if (last === undefined) return undefined;
    let isPopped = false;
    // Another process may have appended meanwhile; the newest item is then another one.
    await ledger.append((newest) => {
      isPopped = newest.entries.at(-1)?.seq === last.entry.seq;
      return isPopped ? [{ type: 'pop' }] : [];
    });
    if (isPopped) return structuredClone(last.item);
  }
}
