import type { LedgerHead, LedgerRecord } from './ledger-record.ts';

/**
 * Where a session came from and where it goes, when its history is written to another conversation.
 *
 * `to`: the conversation it is being written to; `done`: the session goes on there. `from`: the session it was copied
 * from; `whole`: the copy was complete.
 */
export type SessionMove = NonNullable<LedgerHead['move']>;

/** What is known of a move after one more record. Pure. */
export function moveAfter(move: SessionMove | undefined, record: LedgerRecord): SessionMove | undefined {
  switch (record.type) {
    case 'heal':
      return { ...move, to: record.to };
    case 'origin':
      return { ...move, from: record.from, ...(record.whole === true ? { whole: true } : {}) };
    case 'moved':
      return { ...move, to: record.to, done: true };
    default:
      return move;
  }
}

/** The session that a moved one goes on in; undefined for one that has not moved. */
export function movedTo(move: SessionMove | undefined): string | undefined {
  return move?.done === true ? move.to : undefined;
}
