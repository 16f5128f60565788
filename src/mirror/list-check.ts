import { type Finding, compareList } from '../history/compare-list.ts';
import type { HistoryReader, ListOptions } from '../history/reader.ts';
import type { ListedItem } from '../conversation/items.ts';
import { MAX_DELAY_MS } from '../history/duplicate-writes.ts';
import { applyRecords } from '../ledger/reducer.ts';
import { copyState, type LedgerEntry, type LedgerState } from '../ledger/state.ts';
import { clock } from '../util/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { recordOf, type LedgerStep } from '../ledger/record.ts';
import { adoptionSteps } from '../history/steps.ts';
import type { SharedSyncState } from './shared-sync-state.ts';

type MirrorStep = Extract<LedgerStep, { type: 'mirror' }>;
import type { Warn } from '../telemetry/span.ts';

/** The result of a comparison, after the ledger has adopted the items of other writers. */
export interface CheckedList {
  readonly list: readonly ListedItem[];
  readonly findings: readonly Finding[];
  readonly adopted: number;
}

/** The ledger before a list was read: the list may lack items that were written since. */
export interface LedgerBeforeList {
  readonly version: number;
  readonly nextSeq: number;
  /** The sequence numbers of the pending entries. */
  readonly unwritten: ReadonlySet<number>;
}

/** The result of a comparison, with the records that it adds to the ledger. */
interface Comparison extends CheckedList {
  /** Another session deleted the ledger during the read. */
  readonly isStale: boolean;
  readonly steps: readonly LedgerStep[];
  /** The IDs under which the API linked other items than the sent ones. */
  readonly linked: readonly string[];
}

/** The options of a check. */
export interface ListCheckOptions {
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly keepContent: boolean;
  /** The unacknowledged writes of this process. */
  readonly sync: Pick<SharedSyncState, 'unacknowledged' | 'listComparedAt' | 'rewinds' | 'rewindsChecked'>;
  /** Reports adopted items, and other items than the sent ones that the API linked. */
  readonly warn: Warn;
}

/** Compares the conversation's list with the ledger, and adds the items of other writers to the ledger. */
export class ListCheck {
  readonly #ledger: Ledger;
  readonly #reader: HistoryReader;
  readonly #keepContent: boolean;
  readonly #sync: ListCheckOptions['sync'];
  readonly #warn: Warn;

  constructor({ ledger, reader, keepContent, sync, warn }: ListCheckOptions) {
    this.#ledger = ledger;
    this.#reader = reader;
    this.#keepContent = keepContent;
    this.#sync = sync;
    this.#warn = warn;
  }

  /** Reads the list and applies it to the ledger. */
  read(how?: ListOptions): Promise<CheckedList> {
    return this.#read((list, before) => this.applyList(list, before), how);
  }

  /** Reads the ledger; must be called before the list is read. */
  async ledgerBeforeList(): Promise<LedgerBeforeList> {
    const { version, nextSeq, unmirrored } = await this.#ledger.read({ scope: 'tail', fresh: true });
    return { version, nextSeq, unwritten: new Set(unmirrored.keys()) };
  }

  /** Reads and compares the list without writing. The state is a copy, with the result of `read()`. */
  preview(): Promise<CheckedList & { readonly state: LedgerState }> {
    return this.#read((list, before) => this.previewList(list, before));
  }

  /** Reads again when only the newest items are missing: the list may lag. */
  async #read<T extends CheckedList & { readonly isStale: boolean }>(
    compare: (list: readonly ListedItem[], before: LedgerBeforeList) => Promise<T>,
    how?: ListOptions,
  ): Promise<T> {
    const readOnce = async (): Promise<T> => {
      const before = await this.ledgerBeforeList();
      const compared = await compare(await this.#reader.list(how), before);
      return compared.isStale ? readOnce() : compared;
    };
    const compared = await readOnce();
    return isLag(await this.#ledger.read(), compared.findings) ? readOnce() : compared;
  }

  /**
   * Applies a list to the ledger: links the items of unacknowledged writes, and adopts the items of other writers.
   *
   * @param before the ledger before the read; undefined if there were no writes since.
   */
  async applyList(
    list: readonly ListedItem[],
    before: LedgerBeforeList | undefined,
  ): Promise<CheckedList & { readonly isStale: boolean }> {
    await this.#ledger.read({ fresh: true });
    let compared: Comparison | undefined;
    const state = await this.#ledger.append((newest) => {
      compared = this.#compare(newest, list, before);
      return compared.steps;
    });
    const { steps: _steps, linked, ...checked } = compared ?? this.#compare(state, list, before);
    this.#sync.listComparedAt = clock.now();
    if (linked.length > 0) this.#warn({ code: 'foreign_item', ids: linked });
    if (checked.adopted > 0) this.#warn({ code: 'adopted', count: checked.adopted });
    return checked;
  }

  /** The same without a write. */
  async previewList(
    list: readonly ListedItem[],
    before: LedgerBeforeList | undefined,
  ): Promise<CheckedList & { readonly isStale: boolean; readonly state: LedgerState }> {
    const newest = await this.#ledger.read({ fresh: true });
    const { steps, linked: _linked, ...checked } = this.#compare(newest, list, before);
    const state = copyState(newest);
    applyRecords(
      state,
      steps.map((step) => recordOf(step, { commit: '', time: clock.now() })),
    );
    return { ...checked, state };
  }

  #compare(
    state: LedgerState,
    list: readonly ListedItem[],
    before: LedgerBeforeList | undefined,
  ): Comparison {
    // Another session cleared this one since: the old items are not adopted.
    const isStale = state.version === 0 && before !== undefined && before.version > 0;
    const nothing = { list, findings: [], adopted: 0, isStale, steps: [], linked: [] };
    if (isStale) return nothing;
    // Another session may have written its pending items by now.
    const isTried = ({ seq, commit }: LedgerEntry): boolean =>
      this.#isTried(seq) || this.#ledger.writerOf(commit) !== 'session';
    const found = compareList(state, list, isTried, (seq) => this.#isSent(state, seq));
    const { foreign, mislinked } = found;
    const findings = found.findings.filter(
      ({ type, index }) => type !== 'lost' || wasWritten(state.entries[index], before),
    );
    const known: MirrorStep = {
      type: 'mirror',
      added: [...found.acknowledged, ...found.dropped],
      removed: [],
      surplus: [...found.misplaced, ...found.repeated, ...mislinked.map(({ id }) => id)],
      ...(mislinked.length === 0 ? {} : { unlinked: mislinked.map(({ seq }) => seq) }),
      ...(found.duplicateWrites.length === 0 ? {} : { duplicates: [...found.duplicateWrites] }),
      ...this.#resolved(state),
    };
    const linked = mislinked.map(({ id }) => id);
    const steps = [...mirrored(known), ...adoptionSteps(state, foreign, this.#keepContent)];
    return { ...nothing, findings, linked, adopted: foreign.length, steps };
  }

  /** Unacknowledged writes that can no longer take effect. */
  #resolved({ possibleDuplicates }: LedgerState): Pick<MirrorStep, 'resolved'> {
    const latest = clock.now() - MAX_DELAY_MS;
    const resolved = [...possibleDuplicates].flatMap(([seq, { time }]) => (time < latest ? [seq] : []));
    return resolved.length === 0 ? {} : { resolved };
  }

  /** Whether an entry has an unacknowledged write, of this process or of the process with the lease. */
  #isSent(state: LedgerState, seq: number): boolean {
    const { lease, possibleDuplicates } = state;
    const isElsewhere = lease !== undefined && this.#ledger.writerOf(lease.writer) === 'remote';
    return isElsewhere || possibleDuplicates.has(seq) || this.#isTried(seq);
  }

  /** Whether this process may have written an entry: the write failed, or the store lost its record. */
  #isTried(seq: number): boolean {
    const { unacknowledged, rewinds, rewindsChecked } = this.#sync;
    return rewinds > rewindsChecked || unacknowledged.has(seq);
  }
}

function mirrored(step: MirrorStep): LedgerStep[] {
  const { added, surplus = [], duplicates = [], resolved = [] } = step;
  return added.length + surplus.length + duplicates.length + resolved.length === 0 ? [] : [step];
}

/** Whether the conversation held an entry before the list was read. */
function wasWritten(entry: LedgerEntry | undefined, before: LedgerBeforeList | undefined): boolean {
  if (before === undefined) return true;
  return entry !== undefined && entry.seq < before.nextSeq && !before.unwritten.has(entry.seq);
}

/** Whether the lost items are exactly the newest ones of the conversation. */
function isLag(state: LedgerState, findings: readonly Finding[]): boolean {
  const lost = new Set(findings.filter(({ type }) => type === 'lost').map(({ id }) => id));
  if (lost.size === 0) return false;
  const mirrored = state.entries
    .filter(({ mirrorId }) => mirrorId !== undefined)
    .map(({ mirrorId }) => mirrorId ?? '');
  return mirrored.slice(-lost.size).every((id) => lost.has(id));
}

/** Decides whether the conversation may hold items that are not in the ledger. */
export class ListCheckSchedule {
  readonly #existed: boolean;
  #checked = false;
  #version = 0;
  #wasKnown = false;
  readonly #rewinds: () => number;
  #checkedAfter: number;

  /**
   * @param existed whether the conversation existed before this session.
   * @param rewinds returns the number of times that the store has lost records.
   */
  constructor(existed: boolean, rewinds: () => number) {
    this.#rewinds = rewinds;
    this.#checkedAfter = rewinds();
    this.#existed = existed;
  }

  /** Records that the list was compared with the ledger. */
  markChecked(): void {
    this.#checked = true;
    this.#checkedAfter = this.#rewinds();
  }

  /** Whether a ledger of this version is empty, and the list was not compared since. */
  isUnknown(version: number): boolean {
    // After a deletion of the ledger, the list has to be compared again.
    if (version === 0 && this.#version > 0) this.#checked = false;
    this.#version = version;
    this.#wasKnown ||= version > 0;
    return version === 0 && !this.#checked && (this.#existed || this.#wasKnown);
  }

  /** Whether the store has lost records since the last comparison. */
  get isRewound(): boolean {
    return this.#rewinds() > this.#checkedAfter;
  }
}
