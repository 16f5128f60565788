import { InvalidOptionsError } from '../../errors/options.ts';
import { isDeepStrictEqual } from 'node:util';
import { indexOfTurn, turnsOf, type RecordedTurn } from '../../history/turns.ts';
import type { LedgerState } from '../../ledger/state.ts';
import type { Mode } from '../../rollout/mode.ts';
import type { OpenSession } from '../../runtime/read.ts';
import type { SessionRuntime } from '../../runtime/runtime.ts';
import { updateMirror } from '../append.ts';
import { settleAbandoned } from '../settle-drafts.ts';
import { forkSession } from './fork.ts';
import { withItems, type Turn } from './turns.ts';

/**
 * The turns to take back.
 *
 * @example
 * ```ts
 * await session.undo({ turns: 2 });
 * await session.undo({ to: 'resp_123', keep: true });
 * ```
 */
export interface UndoOptions {
  /**
   * The number of newest turns to take back. Cannot go with `to`.
   *
   * @default 1
   */
  readonly turns?: number | undefined;
  /** The ID of a turn, or of one of its responses: all later turns are taken back. */
  readonly to?: string | undefined;
  /**
   * Whether the turns stay as a branch: another session, which `branches()` names, keeps the whole history.
   *
   * @default false
   */
  readonly keep?: boolean | undefined;
}

/**
 * Takes back the newest turns, all at once or not at all.
 *
 * @returns the turns, oldest first.
 * @throws InvalidOptionsError for an invalid number, or a turn that the session does not have.
 */
export async function undoTurns(runtime: SessionRuntime, options: UndoOptions): Promise<Turn[]> {
  const { turns = 1, to, keep: isKept = false } = options;
  if (to !== undefined && options.turns !== undefined)
    throw new InvalidOptionsError('turns', 'cannot go with to');
  if (!Number.isSafeInteger(turns) || turns < 1)
    throw new InvalidOptionsError('turns', 'must be a whole number of at least 1');
  const leaving = (state: LedgerState): RecordedTurn[] => {
    const all = turnsOf(state);
    return to === undefined ? all.slice(-turns) : all.slice(indexOfTurn(all, 'to', to) + 1);
  };
  const undo = async (session: OpenSession, mode: Mode): Promise<Turn[]> => {
    const { ledger, history, options: resolved } = session;
    if ((await history.listedConversation(mode)) === undefined) await history.open(mode);
    else await history.check(mode);
    let branch: string | undefined;
    for (;;) {
      await settleAbandoned(runtime, session, mode, await ledger.read({ fresh: true }));
      const taken = await withItems(session, leaving);
      const seqs = seqsOf(leaving(await ledger.read()));
      if (taken.length === 0) return [];
      if (branch !== undefined) await resolved.ledger.delete(branch);
      branch = isKept ? await forkSession(runtime, session, mode) : undefined;
      let isTaken = false;
      // Another process may have appended meanwhile: then these are other turns.
      await ledger.append((newest) => {
        const [first, ...later] = leaving(newest);
        isTaken = first !== undefined && isDeepStrictEqual(seqsOf([first, ...later]), seqs);
        return isTaken && first !== undefined ? [{ type: 'replace', keep: first.from, items: [] }] : [];
      });
      if (!isTaken) continue;
      await updateMirror(runtime, resolved);
      return taken;
    }
  };
  return (await runtime.runIfBegun(undo, { begins: true })) ?? [];
}

function seqsOf(turns: readonly RecordedTurn[]): number[] {
  return turns.flatMap(({ entries }) => entries.map(({ seq }) => seq));
}
