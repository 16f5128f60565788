import { statusOf, toNotFoundError } from '../conversation/api-error.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pendingChanges, unprovenIn, type LedgerState } from '../ledger/state.ts';
import { seenLength } from '../ledger/view.ts';
import type { Mode } from '../rollout/mode.ts';
import type { SessionContext, MirroredConversation } from './open.ts';
import type { CheckedList } from '../mirror/list-check.ts';
import { readWhole } from './read-whole.ts';
import { countSources, matchesLedger, missingItems } from '../history/verify.ts';
import type { MissingItem } from '../errors/session.ts';
import type { Finding } from '../history/compare-list.ts';
import type { SourceCounts } from '../history/restore.ts';

/** A comparison; `gone` if the conversation was deleted. */
type Compared<T> = T & { readonly gone?: boolean };

/** Compares the list with the ledger, reads every item back, and reports. Writes nothing. */
export async function verifyHistory(context: SessionContext, mode: Mode): Promise<HistoryReport> {
  const { ledger, reader, conversation, sessionId } = context;
  const preview = conversation === undefined ? undefined : await previewList(ledger, conversation);
  const { state, restored } = await readWhole(
    { ledger, reader, idle: async () => conversation?.mirror.idle() },
    ({ entries }) => entries,
    preview?.list,
    {
      async read({ fresh = false } = {}) {
        const seen = fresh && conversation !== undefined ? await previewList(ledger, conversation) : preview;
        return seen?.state ?? ledger.read({ fresh: true });
      },
    },
  );
  const unproven = unprovenIn(state);
  return {
    sessionId,
    conversationId: conversation?.conversationId,
    mode,
    verified: unproven === 0 && !state.rewound && matchesLedger(state, restored),
    unproven,
    length: state.entries.length,
    seen: seenLength(state),
    listed: preview?.gone === true ? undefined : preview?.list.length,
    findings: preview?.findings ?? [],
    sources: countSources(restored),
    missing: missingItems(state, restored),
    pending: conversation === undefined ? 0 : pendingChanges(state),
    responseId: state.responses.at(-1)?.id,
  };
}

/** Compares the list with the ledger, links unacknowledged writes, and adopts items of other clients. */
export function takeList(
  ledger: Ledger,
  { check, conversationId }: MirroredConversation,
): Promise<Compared<CheckedList>> {
  return unlessGone(
    ledger,
    conversationId,
    () => check.read(),
    () => check.applyList([], undefined),
  );
}

async function previewList(
  ledger: Ledger,
  { mirror, check, conversationId }: MirroredConversation,
): Promise<Compared<CheckedList & { readonly state: LedgerState }>> {
  await mirror.idle();
  return unlessGone(
    ledger,
    conversationId,
    () => check.preview(),
    () => check.previewList([], undefined),
  );
}

/** Compares a deleted conversation as an empty list. @throws ConversationNotFoundError if the ledger does not know it. */
async function unlessGone<T extends object>(
  ledger: Ledger,
  conversationId: string,
  compare: () => Promise<T>,
  compareNothing: () => Promise<T>,
): Promise<Compared<T>> {
  try {
    return await compare();
  } catch (error) {
    const isKnown = (await ledger.read()).version > 0;
    if (statusOf(error) !== 404 || !isKnown) throw toNotFoundError(error, conversationId);
    return { ...(await compareNothing()), gone: true };
  }
}

/**
 * The result of `verify()`.
 *
 * @example
 * ```ts
 * const { verified, missing } = await session.verify();
 * if (!verified) console.warn(`${missing.length} items are missing`);
 * ```
 */
export interface HistoryReport {
  readonly sessionId: string;
  readonly conversationId: string | undefined;
  readonly mode: Mode;
  /**
   * Whether the transcript is proven complete: every item of the ledger was found, and the digest of their content equals the
   * ledger's; so do the items of compactions. Always false for a session with `unproven` items.
   */
  readonly verified: boolean;
  /**
   * The number of unproven items: those adopted from the list, which may have lost others before; all items, if the store has
   * lost records.
   */
  readonly unproven: number;
  /** The number of items in the transcript. */
  readonly length: number;
  /** The number of items that a model sees: those of `getItems()`. Compactions and windows make it smaller than `length`. */
  readonly seen: number;
  /** The number of items in the conversation's list; undefined without a conversation. */
  readonly listed: number | undefined;
  /** The differences between the list and the ledger. */
  readonly findings: readonly Finding[];
  /** The number of items from each source. */
  readonly sources: SourceCounts;
  /** Items without content in any source. */
  readonly missing: readonly MissingItem[];
  /** The number of changes that the conversation does not have yet. */
  readonly pending: number;
  /** The ID of the newest recorded response. */
  readonly responseId: string | undefined;
}
