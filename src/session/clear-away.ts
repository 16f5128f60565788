import type OpenAI from 'openai';
import { HealError } from '../errors/heal-error.ts';
import { statusOf } from '../history/api-error.ts';
import { acknowledged } from '../history/believed.ts';
import { SessionMoved } from '../ledger/session-moved.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import { asNotFound } from './as-not-found.ts';
import type { Attachment, Remote } from './attachment.ts';
import { copiesOf } from './copies-of.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { mirrorLine } from './mirror-line.ts';
import { moveHistory } from './move-history.ts';

/**
 * Deletes the conversation of a session that was cleared, the conversations it was moved from, and their ledgers.
 *
 * Its own ledger goes last, and only as it was seen: as long as anything is left, it knows what. What other processes
 * said after the clear stays: it is written to a fresh conversation, where it goes on.
 *
 * @param isKnown whether the ledger knew the session: then its conversation may be gone already.
 * @returns the conversation of what came after the clear; undefined when nothing did.
 * @throws what `moveHistory` throws, and the client's errors.
 */
export async function clearAway(
  attachment: Attachment & { readonly remote: Remote },
  options: ResolvedOptions,
  emit: (event: HybridSessionEvent) => void,
  isKnown: boolean,
): Promise<string | undefined> {
  const { sessionId, ledger, remote } = attachment;
  const { client } = remote;
  const seen = await ledger.at();
  for (const copy of await copiesOf(options.ledger, seen)) {
    // What came after the clear may be just moving there.
    if (!seen.cleared && copy === seen.move?.to) continue;
    await deleteConversation(client, copy, true);
    await options.ledger.delete(copy);
  }
  for (let isFirst = true; ; isFirst = false) {
    const after = await whatCame(attachment, options, emit);
    await deleteConversation(client, sessionId, isKnown || !isFirst);
    if (typeof after === 'string') return after;
    if (await ledger.delete(after)) return undefined;
  }
}

/** @returns the conversation to which what came after the clear was moved; the ledger's version when nothing came. */
async function whatCame(
  attachment: Attachment & { readonly remote: Remote },
  options: ResolvedOptions,
  emit: (event: HybridSessionEvent) => void,
): Promise<string | number> {
  const { sessionId, ledger } = attachment;
  return mirrorLine(options.ledger, sessionId).healing.run(async () => {
    for (;;) {
      try {
        const { cleared, version } = await ledger.outline();
        if (cleared || version === 0) return version;
        return (await moveHistory(attachment, options, emit, {})).conversationId;
      } catch (error) {
        // Another process was as quick.
        if (error instanceof SessionMoved) return error.to;
        if (!(error instanceof HealError) || error.reason !== 'cleared') throw error;
      }
    }
  });
}

async function deleteConversation(client: OpenAI, conversationId: string, isKnown: boolean): Promise<void> {
  const request = acknowledged('conversations.delete', async () =>
    client.conversations.delete(conversationId),
  );
  await request.catch((error: unknown) => {
    if (statusOf(error) !== 404 || !isKnown) throw asNotFound(error, conversationId);
  });
}
