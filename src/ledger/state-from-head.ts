import type { LedgerHead, LedgerRecord } from './ledger-record.ts';
import { digestOf, emptyState, type LedgerState } from './ledger-state.ts';
import { leave, push, respond, type MutableState } from './mutable-state.ts';
import type { RestoredBase } from './restored-base.ts';
import { takesOut } from './takes-out.ts';

/** The state of a session of which only the head is known: what lies before it has to be read back. */
export function stateFrom(base: LedgerHead): LedgerState {
  const state: MutableState = { ...(emptyState() as MutableState), base };
  state.version = base.version;
  state.nextSeq = base.length;
  state.move = base.move;
  state.cleared = base.cleared === true;
  if (base.response !== undefined) {
    const { id, time, store, model, context } = base.response;
    respond(state, { id, time, store, model, context });
    if (base.response.refused === true) state.refused.add(id);
  }
  return state;
}

/**
 * The state that goes on from a head, of a size that does not grow with the session.
 *
 * @returns undefined where more has to be known than the head says.
 */
export function tipFrom(head: LedgerHead): LedgerState | undefined {
  // A history of no length may have been cleared.
  if (head.tip === undefined || head.length === 0) return undefined;
  const state = stateFrom(head) as MutableState;
  state.nextSeq = head.tip.nextSeq;
  state.newest = head.tip.commit;
  return state;
}

/** Whether a head is that of a state, so that nothing was appended since. */
export function isHeadOf(head: LedgerHead | undefined, state: LedgerState): boolean {
  return (
    head?.version === state.version &&
    head.digest === digestOf(state) &&
    (head.tip === undefined || head.tip.commit === state.newest)
  );
}

/** Whether records can be applied to a state that goes on from a head: they change nothing that lies before it. */
export function fitTip({ base, unmirrored }: LedgerState, records: readonly LedgerRecord[]): boolean {
  const from = base?.tip?.nextSeq ?? 0;
  const written = new Set<number>();
  return records.every((record) => {
    if (takesOut(record)) return false;
    if (record.type !== 'mirror') return true;
    const { added, behind = from } = record;
    return (
      behind >= from &&
      added.every(({ seq }) => {
        // An ID that is written a second time may be that of something that lies before.
        const isDue = unmirrored.has(seq) && !written.has(seq);
        written.add(seq);
        return isDue;
      })
    );
  });
}

/** Puts what was read back in the place of the base; what is not proven counts as such. */
export function resolveBase(target: LedgerState, base: RestoredBase): void {
  const state = target as MutableState;
  state.base = undefined;
  for (const [seq, { item, mirrorId }] of base.items.entries()) {
    const { kind, digest, id } = item;
    const shared = {
      context: '',
      item: undefined,
      link: undefined,
      skipped: undefined,
      origin: '',
      commit: '',
      due: 0,
    };
    push(state, { seq, kind, digest, id, mirrorId, ...shared });
  }
  state.nextSeq = Math.max(state.nextSeq, base.items.length);
  for (const id of base.leaving) leave(state, id, true);
  if (!base.proven) state.unproven = base.items.length;
}
