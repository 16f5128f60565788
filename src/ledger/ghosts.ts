import type { Ghost } from './ledger-state.ts';

/** What may be in the conversation once more than the ledger knows, by sequence number. */
export type Ghosts = Map<number, Ghost>;

/** A write of an item was not seen to be applied, and may have been. */
export function haunt(ghosts: Ghosts, seq: number, item: Pick<Ghost, 'digest' | 'id'> | undefined): void {
  if (item === undefined) return;
  const { digest, id } = item;
  ghosts.set(seq, { digest, id, copies: (ghosts.get(seq)?.copies ?? 0) + 1 });
}

/** One of those writes was seen after all. */
export function exorcise(ghosts: Ghosts, seq: number): void {
  const ghost = ghosts.get(seq);
  if (ghost === undefined) return;
  if (ghost.copies > 1) ghosts.set(seq, { ...ghost, copies: ghost.copies - 1 });
  else ghosts.delete(seq);
}
