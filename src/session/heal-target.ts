import type OpenAI from 'openai';
import { isObject } from '../ledger/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { METADATA_KEY } from '../ledger/metadata-key.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import { attach, type Attachment, type Remote } from './attachment.ts';
import { createConversation } from './create-conversation.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';

/** The conversation that a history is being written to. */
export interface HealTarget extends Attachment {
  readonly remote: Remote;
  /** Whether it was begun before: then its list may be anything. */
  readonly isResumed: boolean;
}

/** What is to be healed. */
export interface HealSource {
  readonly ledger: Ledger;
  readonly remote: Remote;
  readonly options: ResolvedOptions;
  readonly emit: (event: HybridSessionEvent) => void;
}

/**
 * The one conversation that everybody who heals this session writes to: the one begun, or a new one.
 *
 * A process that dies between creating it and saying so leaves it behind empty.
 *
 * @param unsound one that was begun and cannot be used.
 */
export async function openTarget(
  { ledger, remote, options, emit }: HealSource,
  unsound: string | undefined,
): Promise<HealTarget> {
  const { client, conversationId } = remote;
  for (;;) {
    const begun = (await ledger.refresh()).move?.to;
    if (begun !== undefined && begun !== unsound) {
      await forgetUnfinished(options.ledger, begun);
      return { ...withRemote(await attach(options, begun, emit)), isResumed: true };
    }
    const id = await createConversation(client, await metadataOf(client, conversationId));
    const { move } = await ledger.commit((newest) =>
      newest.move?.to === begun ? [{ type: 'heal', to: id }] : [],
    );
    // Another one began in the same moment: theirs it is.
    const discarded = move?.to === id ? unsound : id;
    if (discarded !== undefined) await discard(client, options.ledger, discarded);
    if (move?.to === id) return { ...withRemote(await attach(options, id, emit)), isResumed: false };
  }
}

/**
 * A store that keeps no records does not know how far an unfinished copy has come: it is begun anew, and what the
 * conversation holds already is recognised there.
 */
async function forgetUnfinished(store: LedgerStore, sessionId: string): Promise<void> {
  const { base } = await store.read(sessionId, 0, 0);
  if (base !== undefined && base.move?.whole !== true) await store.delete(sessionId);
}

/** What the user keeps with the old conversation goes with the history; one that is gone has nothing. */
async function metadataOf(client: OpenAI, conversationId: string): Promise<Record<string, string>> {
  const conversation: unknown = await client.conversations.retrieve(conversationId).catch(() => undefined);
  const metadata = isObject(conversation) ? conversation['metadata'] : undefined;
  return Object.fromEntries(
    Object.entries(isObject(metadata) ? metadata : {}).filter(
      (pair): pair is [string, string] => pair[0] !== METADATA_KEY && typeof pair[1] === 'string',
    ),
  );
}

/** Nothing points to it any more: what cannot be deleted now is listed in the ledger, for whoever erases the session. */
async function discard(client: OpenAI, store: LedgerStore, conversationId: string): Promise<void> {
  await client.conversations.delete(conversationId).catch(() => undefined);
  await store.delete(conversationId).catch(() => undefined);
}

function withRemote(attachment: Attachment): Attachment & { readonly remote: Remote } {
  const { remote } = attachment;
  if (remote === undefined) throw new TypeError('A conversation was attached to without its remote side');
  return { ...attachment, remote };
}
