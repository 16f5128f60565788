import type { Checkpoint, LedgerItem, LedgerRecord, LedgerStep } from '../record.ts';
import type { LedgerPage } from '../store.ts';
import { namingAgain, type AttachedConversation } from '../attached-conversation.ts';
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
  /** The append that the session began with. */
  readonly began: string | undefined;
  readonly steps: readonly KeptStep[];
  /** The IDs that it gave items in the conversation, by sequence number. */
  readonly mirrored: readonly { readonly seq: number; readonly id: string }[];
  readonly bytes: number;
}

/** A step, and the sequence number of its first item. */
interface KeptStep {
  readonly step: LedgerStep;
  readonly from: number;
}

/** The newest appends of one ledger object, to be made again should the store lose them. */
export class KeptAppends {
  readonly #known: KnownLedger | undefined;
  readonly #attached: AttachedConversation;
  #appends: KeptAppend[] = [];
  /** Those that `stepsFor()` has put into one. */
  #replaced: readonly KeptAppend[] = [];
  #bytes = 0;

  /**
   * @param known where the newest one is noted; without it nothing is kept.
   * @param attached the conversation that they are made in.
   */
  constructor(known: KnownLedger | undefined, attached: AttachedConversation) {
    this.#known = known;
    this.#attached = attached;
  }

  /** The memory they take, in bytes, approximately. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes an append to a state, which led to a checkpoint. */
  note(
    { version: expected, newest: before, nextSeq }: LedgerState,
    records: readonly LedgerRecord[],
    { version, began }: Checkpoint,
  ): void {
    if (this.#known === undefined) return;
    const commit = records[0]?.commit ?? '';
    this.#known.seen = newerOf(this.#known.seen, { version, isExact: true, commitAt: () => commit, began });
    if (records.some(({ type }) => type === 'clear')) this.#known.cleared = version;
    // Another process has deleted the session that the earlier ones were made to.
    if (this.#appends.at(-1)?.began !== began) this.clear();
    let from = nextSeq;
    const steps = records.flatMap((record): KeptStep[] => {
      const first = from;
      if (record.type === 'items') from += record.items.length;
      return stepOf(record).map((step) => ({ step, from: first }));
    });
    const mirrored = records.flatMap((record) => (record.type === 'mirror' ? record.added : []));
    const bytes = 200 + 2 * roughBytes(steps) + 100 * mirrored.length;
    this.#appends.push({ commit, expected, before, version, began, steps, mirrored, bytes });
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

  /** The steps that a log has lost and this process still has, behind a `rewound` step if some are missing. */
  stepsFor(log: LedgerPage, { version, seen, isRecorded }: Rewind, state: LedgerState): LedgerStep[] {
    const { commitAt } = shownBy(log, 0);
    const missing = this.#appends.filter(({ commit }) => !holdsCommit(log, commit));
    let end = version;
    for (const { expected, before, version: next } of missing)
      if (expected === end && (expected > version || commitAt(expected - 1) === before)) end = next;
    const isWhole = version < seen.version && end === seen.version;
    this.#replaced = missing;
    const mark: LedgerStep[] = isRecorded || isWhole ? [] : [{ type: 'rewound' }];
    const commits = new Set(this.#appends.map(({ commit }) => commit));
    const held = log.records.findLastIndex(({ commit }) => commits.has(commit));
    const naming = namingAgain(state, this.#attached);
    const isThere = naming.length > 0 || state.conversation === this.#attached;
    const mirrored = isThere ? missing.flatMap((append) => append.mirrored) : [];
    const again = stepsAgain(missing, mirrored, state, (log.start ?? 0) + held);
    // A cleared session gets another conversation, whose ledger object does not keep the clear.
    const isCleared = naming.length > 0 && version < (this.#known?.cleared ?? 0);
    return [...(isCleared ? [{ type: 'clear' } as const] : []), ...mark, ...naming, ...again];
  }
}

/**
 * The steps of lost appends. The conversation may hold their items: under the IDs that they had, or adopted from there by another
 * process, which has the items in the ledger again.
 *
 * @param mirrored the IDs that their items had in the session's conversation.
 * @param held the position of the newest record that precedes the loss; -1 for an unknown one.
 */
function stepsAgain(
  missing: readonly KeptAppend[],
  mirrored: KeptAppend['mirrored'],
  state: LedgerState,
  held: number,
): LedgerStep[] {
  const ids = new Map(mirrored.map(({ seq, id }) => [seq, id]));
  const adopted = state.entries.filter(
    (entry) => entry.adopted && (entry.at ?? Number.POSITIVE_INFINITY) > held,
  );
  const takeAdopted = (item: LedgerItem, id: string | undefined): boolean => {
    const at = adopted.findIndex((entry) => (id === undefined ? isLike(entry, item) : entry.mirrorId === id));
    if (at !== -1) adopted.splice(at, 1);
    return at !== -1;
  };
  let next = state.nextSeq;
  const added: { seq: number; id: string }[] = [];
  const steps = missing.flatMap((append) =>
    append.steps.flatMap(({ step, from }): LedgerStep[] => {
      if (step.type !== 'items') return [step];
      const items = step.items.filter((item, index) => {
        const id = ids.get(from + index);
        if (takeAdopted(item, id)) return false;
        if (id !== undefined) added.push({ seq: next, id });
        next += 1;
        return true;
      });
      return items.length === 0 && step.operation === undefined ? [] : [{ ...step, items }];
    }),
  );
  return added.length === 0 ? steps : [...steps, { type: 'mirror', added, removed: [] }];
}

/** Whether an adopted entry may be an item. Reasoning has no digest, but an ID. */
function isLike({ kind, digest, mirrorId }: LedgerState['entries'][number], item: LedgerItem): boolean {
  return kind === item.kind && digest === item.digest && (digest !== null || mirrorId === item.id);
}

/** The steps that make sense anywhere in the log. */
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
