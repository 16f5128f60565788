import { clock } from '../util/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/record.ts';
import type { Lease, LedgerState } from '../ledger/state.ts';

/** The longest lease that another process is granted, in milliseconds. */
export const MAX_LEASE_MS = 600_000;

/** The options of a lease. */
export interface ProcessLeaseOptions {
  readonly ledger: Ledger;
  /** The ID of this process. */
  readonly writer: string;
  /** The duration of the lease. */
  readonly milliseconds: number;
  /** Whether it is the right to compact. Default: the right to write to the conversation. */
  readonly of?: 'compaction';
  /** Milliseconds since the epoch. Default: `clock.now`. */
  readonly now?: () => number;
}

/**
 * The right to write to the conversation, or to compact: one process at a time holds it.
 *
 * It is a record in the ledger. The append of items takes it, and the record of their write releases it; a view releases the
 * right to compact. The lease of a process that crashes expires.
 */
export class ProcessLease {
  readonly #options: ProcessLeaseOptions;
  /** The previous process did not release it, so its last write is unknown. */
  takenOver = false;
  /** The last lease seen, and the time at which this process saw it. */
  #seen: { readonly lease: Lease; readonly at: number } | undefined;

  constructor(options: ProcessLeaseOptions) {
    this.#options = options;
  }

  /** Milliseconds for a request, which must end before the lease. */
  get requestTimeout(): number {
    return Math.ceil(this.#options.milliseconds * 0.8);
  }

  /** Milliseconds after which the lease of a crashed process has expired. */
  get takeoverTimeout(): number {
    return Math.ceil(this.#options.milliseconds * 1.2);
  }

  /** Whether this process holds the lease, according to the state. */
  isHeld(state: LedgerState): boolean {
    const lease = this.#in(state);
    return lease?.writer === this.#options.writer && this.#left(lease) > 0;
  }

  /** Takes the lease if it is free, and renews it after half of its time. */
  steps(state: LedgerState): LedgerStep[] {
    const { milliseconds } = this.#options;
    const lease = this.#in(state);
    const left = lease === undefined ? 0 : this.#left(lease);
    if (lease !== undefined && lease.writer !== this.#options.writer) {
      if (left > 0) return [];
      this.takenOver = true;
    } else if (left > milliseconds / 2) {
      return [];
    }
    return [this.#until(this.#now() + milliseconds)];
  }

  /** @returns the newest state, or undefined when another process holds the lease. */
  async take(known: LedgerState): Promise<LedgerState | undefined> {
    const { ledger } = this.#options;
    // Another process may have released its lease since.
    if (!this.isHeld(known)) await ledger.read({ scope: 'tail', fresh: true });
    const state = await ledger.append((newest) => this.steps(newest), { scope: 'tail' });
    return this.isHeld(state) ? state : undefined;
  }

  /** Releases the lease after the last write, or after a compaction without a view. */
  releaseSteps(state: LedgerState): LedgerStep[] {
    const { writer, of } = this.#options;
    if (this.#in(state)?.writer !== writer) return [];
    if (of === 'compaction') return [this.#until(this.#now())];
    return [{ type: 'mirror', added: [], removed: [], released: true }];
  }

  #in({ lease, compacting }: LedgerState): Lease | undefined {
    return this.#options.of === 'compaction' ? compacting : lease;
  }

  #until(until: number): LedgerStep {
    const { writer, of } = this.#options;
    return { type: 'lease', writer, until, ...(of === undefined ? {} : { of }) };
  }

  #now(): number {
    return (this.#options.now ?? clock.now)();
  }

  /**
   * Milliseconds until a lease expires. Clocks may differ: it expires at the latest `until - taken` after this process first
   * saw it, and at the latest after `MAX_LEASE_MS`.
   */
  #left(lease: Lease): number {
    const now = this.#now();
    const isKnown = this.#seen?.lease.writer === lease.writer && this.#seen.lease.until === lease.until;
    // A clock can be set back, too.
    const at = isKnown ? Math.min(this.#seen?.at ?? now, now) : now;
    this.#seen = { lease, at };
    const lasts = Math.min(Math.max(0, lease.until - lease.taken), MAX_LEASE_MS);
    return Math.min(lease.until, at + lasts) - now;
  }
}
