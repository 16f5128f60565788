import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/ledger-record.ts';
import type { Lease, LedgerState } from '../ledger/ledger-state.ts';

/** No process may set a longer one, in milliseconds: what says that it lasts longer is not believed. */
export const LONGEST_LEASE = 600_000;

/** What a lease needs. */
export interface MirrorLeaseOptions {
  readonly ledger: Ledger;
  /** Names this process among all that write to the session. */
  readonly writer: string;
  /** How long the lease lasts, in milliseconds. */
  readonly milliseconds: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * The right to write to the conversation, so that of many processes one at a time does.
 *
 * It is a record in the ledger: it goes with the append of the items it is for, and is given back with the record that
 * says they were written. A process that dies leaves it to run out.
 */
export class MirrorLease {
  readonly #options: MirrorLeaseOptions;
  /** It was taken from a process that did not give it back: what that one wrote is not known. */
  inherited = false;
  /** The lease that was seen last, and when that was by this process's clock. */
  #seen: { readonly lease: Lease; readonly at: number } | undefined;

  constructor(options: MirrorLeaseOptions) {
    this.#options = options;
  }

  /** A request has to end before the lease does. */
  get requestTimeout(): number {
    return Math.ceil(this.#options.milliseconds * 0.8);
  }

  /** Milliseconds after which the lease of a process that died has run out. */
  get patience(): number {
    return Math.ceil(this.#options.milliseconds * 1.2);
  }

  /** Whether this process holds it, as far as the state says. */
  isHeld({ lease }: LedgerState): boolean {
    return lease?.writer === this.#options.writer && this.#left(lease) > 0;
  }

  /** Takes the lease if it is free, and prolongs it when half of its time is over. */
  steps({ lease }: LedgerState): LedgerStep[] {
    const { writer, milliseconds, now } = this.#options;
    const left = lease === undefined ? 0 : this.#left(lease);
    if (lease !== undefined && lease.writer !== writer) {
      if (left > 0) return [];
      this.inherited = true;
    } else if (left > milliseconds / 2) {
      return [];
    }
    return [{ type: 'lease', writer, until: now() + milliseconds }];
  }

  /** @returns whether this process holds the lease now. */
  async take(): Promise<boolean> {
    const { ledger } = this.#options;
    const state = await ledger.tip();
    // Somebody else's lease may have been given back since.
    if (!this.isHeld(state)) await ledger.refreshTip();
    return this.isHeld(await ledger.commitTip((newest) => this.steps(newest)));
  }

  /** What gives the lease back together with the record that nothing is left to write. */
  releaseSteps(state: LedgerState): LedgerStep[] {
    if (state.lease?.writer !== this.#options.writer) return [];
    return [{ type: 'mirror', added: [], removed: [], released: true }];
  }

  /**
   * Milliseconds that a lease lasts. The clock of who holds it may be ahead: it lasts no longer than it did when it was
   * taken, from the moment at which it was seen here, and never longer than a lease can.
   */
  #left(lease: Lease): number {
    const now = this.#options.now();
    const isKnown = this.#seen?.lease.writer === lease.writer && this.#seen.lease.until === lease.until;
    // A clock can be set back, too.
    const at = isKnown ? Math.min(this.#seen?.at ?? now, now) : now;
    this.#seen = { lease, at };
    const lasts = Math.min(Math.max(0, lease.until - lease.taken), LONGEST_LEASE);
    return Math.min(lease.until, at + lasts) - now;
  }
}
