import type { LedgerRecord, LedgerStep } from '../record.ts';
import type { LedgerPage } from '../store.ts';
import { type KnownLedger, newerOf, shownBy, type Rewind } from './rewind.ts';
import type { LedgerState } from '../state.ts';
import type { RecordReader } from '../record-reader.ts';
import type { Retry } from '../retry.ts';
import { roughBytes } from '../../util/json.ts';

/** A store that fails over loses its newest appends. */
const MAX_APPENDS = 20;

/** One append that was made. */
interface KeptAppend {
  readonly commit: string;
  readonly expected: number;
  /** The newest append before it. */
  readonly before: string;
  /** The version it led to. */
  readonly version: number;
  readonly steps: readonly LedgerStep[];
  readonly bytes: number;
}

/** The newest appends of one ledger object, to be made again should the store lose them. */
export class KeptAppends {
  readonly #known: KnownLedger | undefined;
  #appends: KeptAppend[] = [];
  /** Those that `stepsFor()` has put into one. */
  #replaced: readonly KeptAppend[] = [];
  #bytes = 0;

  /** @param known where the newest one is noted; without it nothing is kept. */
  constructor(known: KnownLedger | undefined) {
    this.#known = known;
  }

  /** The memory they take, in bytes, approximately. */
  get bytes(): number {
    return this.#bytes;
  }

  note(append: Omit<KeptAppend, 'steps' | 'bytes'>, records: readonly LedgerRecord[]): void {
    if (this.#known === undefined) return;
    const { version, commit } = append;
    this.#known.seen = newerOf(this.#known.seen, { version, isExact: true, commitAt: () => commit });
    const steps = records.flatMap((record) => stepOf(record));
    const bytes = 200 + 2 * roughBytes(steps);
    this.#appends.push({ ...append, steps, bytes });
    this.#bytes += bytes;
    const oldest = this.#appends.length > MAX_APPENDS ? this.#appends.shift() : undefined;
    this.#bytes -= oldest?.bytes ?? 0;
  }

  clear(): void {
    this.#appends = [];
    this.#bytes = 0;
  }

  /** The lost steps were appended again, and are kept as that append: at the next loss the former ones are not missing. */
  recovered(): void {
    for (const { bytes } of this.#replaced) this.#bytes -= bytes;
    this.#appends = this.#appends.filter((append) => !this.#replaced.includes(append));
    this.#replaced = [];
  }

  /** The steps that a log has lost and this object still has, behind a `rewound` step if some are missing. */
  stepsFor(log: LedgerPage, { version, seen, isRecorded }: Rewind): LedgerStep[] {
    const { commitAt } = shownBy(log, 0);
    const missing = this.#appends.filter(({ commit }) => !holdsCommit(log, commit));
    let end = version;
    for (const { expected, before, version: next } of missing)
      if (expected === end && (expected > version || commitAt(expected - 1) === before)) end = next;
    const isWhole = version < seen.version && end === seen.version;
    this.#replaced = missing;
    const mark: LedgerStep[] = isRecorded || isWhole ? [] : [{ type: 'rewound' }];
    return [...mark, ...missing.flatMap(({ steps }) => steps)];
  }
}

/** The steps that make sense anywhere in the log. IDs in the conversation do not: its list gives them again. */
function stepOf(record: LedgerRecord): LedgerStep[] {
  switch (record.type) {
    case 'items':
    case 'response':
    case 'refused':
    case 'draft':
    case 'clear': {
      const { v: _v, commit: _commit, ...step } = record;
      return [step];
    }
    default:
      return [];
  }
}

/** The records behind a state. */
export interface NewRecords extends LedgerPage {
  /** Whether the records go on from that state; otherwise the ledger is another one than it was, or was rewritten. */
  readonly continues: boolean;
}

/**
 * Reads the records that were appended since a state.
 *
 * The newest record known is read once more: when it is no longer there, the ledger was deleted or rewritten, and the
 * state must not be served any longer.
 */
export async function readNewRecords(
  reader: RecordReader,
  state: LedgerState,
  retry?: Retry,
): Promise<NewRecords> {
  const known = Math.min(1, state.version);
  const page = await reader.read(state.version - known, retry);
  const { start, records } = page;
  const continues = known === 1 ? records[0]?.commit === state.newest : start === undefined;
  return { ...page, continues, records: continues ? records.slice(known) : records };
}

/** Whether an append or a rewrite is among the records, or was before the log was rewritten. */
export function holdsCommit({ records }: LedgerPage, commit: string): boolean {
  return records.some(
    (record) => record.commit === commit || (record.type === 'rewritten' && record.replaced.includes(commit)),
  );
}
