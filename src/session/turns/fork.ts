import { LedgerConflictError } from '../../errors/ledger.ts';
import { InvalidOptionsError } from '../../errors/options.ts';
import { indexOfTurn, turnsOf } from '../../history/turns.ts';
import { CommitIds } from '../../ledger/commit-id.ts';
import { forkedLog } from '../../ledger/fork.ts';
import type { OpenSession } from '../../runtime/read.ts';
import type { SessionRuntime } from '../../runtime/runtime.ts';
import type { Mode } from '../../rollout/mode.ts';
import { settleAbandoned } from '../settle-drafts.ts';
import { clock } from '../../util/clock.ts';

/**
 * The beginning of a fork, and its name.
 *
 * @example
 * ```ts
 * const other = await session.fork({ sessionId: 'user-42-b', at: 'turn_12' });
 * ```
 */
export interface ForkOptions {
  /**
   * The name of the new session.
   *
   * @default a random UUID
   */
  readonly sessionId?: string | undefined;
  /**
   * The last turn of the shared history, by its ID or that of one of its responses.
   *
   * @default the newest turn
   */
  readonly at?: string | undefined;
}

/**
 * A session that began as a fork of another one.
 *
 * @example
 * ```ts
 * for (const { sessionId, turnId } of await session.branches()) console.log(`${sessionId} goes on from ${turnId}`);
 * ```
 */
export interface Branch {
  readonly sessionId: string;
  /** The last shared turn; undefined if this session no longer has it. */
  readonly turnId: string | undefined;
  /** When it was forked, in milliseconds since the epoch. */
  readonly time: number;
}

/**
 * Begins another session with the history up to a turn, by one append to its ledger.
 *
 * @returns its name.
 * @throws InvalidOptionsError for a turn that the session does not have, a name that a session has, and with
 * `keepContent: false`: until a fork has a conversation, only its ledger can hold the items.
 * @throws HistoryIncompleteError if no source has an item.
 */
export async function forkSession(
  runtime: SessionRuntime,
  session: OpenSession,
  mode: Mode,
  options: ForkOptions = {},
): Promise<string> {
  const { sessionId = globalThis.crypto.randomUUID(), at } = options;
  const { ledger, history, options: resolved } = session;
  if (!resolved.keepContent)
    throw new InvalidOptionsError('keepContent', 'must be true: the ledger holds the items of a fork', {
      subject: 'the fork',
    });
  if (sessionId === '')
    throw new InvalidOptionsError('sessionId', 'must not be empty', { subject: 'the fork' });
  const store = resolved.ledger;
  await settleAbandoned(runtime, session, mode, await ledger.read({ fresh: true }));
  const state = await ledger.read();
  const turns = turnsOf(state);
  const last = at === undefined ? turns.at(-1) : turns[indexOfTurn(turns, 'at', at)];
  const keep = last === undefined ? 0 : last.from + last.entries.length;
  const made = { commit: new CommitIds(store).next(), time: clock.now() };
  // Items may be from a time without content in the ledger.
  const { restored } = await history.contents(({ entries }) =>
    entries.slice(0, keep).filter(({ item }) => item === undefined),
  );
  const { records, checkpoint } = forkedLog(state, keep, restored, made);
  const nextSeq = (last?.entries.at(-1)?.seq ?? -1) + 1;
  try {
    await store.append(sessionId, records, checkpoint, 0);
  } catch (error) {
    if (!LedgerConflictError.isInstance(error)) throw error;
    throw new InvalidOptionsError('sessionId', 'names a session that exists', { subject: 'the fork' });
  }
  await ledger.append(() => [{ type: 'fork', sessionId, nextSeq }], { scope: 'tail' });
  return sessionId;
}

/** The forks of a session that still exist, oldest first. */
export async function readBranches(runtime: SessionRuntime): Promise<Branch[]> {
  const branches = await runtime.runIfBegun(async ({ ledger, options }) => {
    const state = await ledger.read({ fresh: true });
    const turns = turnsOf(state);
    const found = await Promise.all(
      state.forks.map(async ({ sessionId, nextSeq, time }): Promise<Branch[]> => {
        if ((await options.ledger.checkpoint(sessionId)) === undefined) return [];
        const shared = turns.find(({ entries }) => entries.at(-1)?.seq === nextSeq - 1);
        return [{ sessionId, turnId: shared?.turnId, time }];
      }),
    );
    return found.flat();
  });
  return branches ?? [];
}
