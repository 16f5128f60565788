import { LedgerUnreadableError } from '../errors/ledger.ts';
import { isObject } from '../util/json.ts';
import { LEDGER_FORMAT, parseCheckpoint, parseRecord, type Checkpoint, type LedgerRecord } from './record.ts';
import type { LedgerPage, LedgerStore } from './store.ts';
import { Retry } from './retry.ts';
import {
  type KnownLedger,
  isOfAnother,
  isRewound,
  newerOf,
  shownBy,
  shownByCheckpoint,
  type Shown,
} from './loss/rewind.ts';
import { applyRecords } from './reducer.ts';
import { emptyState, type LedgerState } from './state.ts';

export interface RecordReaderOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** How long a read that fails is tried again, in milliseconds. */
  readonly retry?: number | undefined;
  /** The newest version that this process has seen. A store that shows an older one is read again, and then believed. */
  readonly known?: KnownLedger | undefined;
  /** Called when a store that shows less than before goes on to do so: before it is believed. */
  readonly onRewound?: ((version: number) => void) | undefined;
  /** Called if the newest record is damaged. Its content is lost; all other records are intact. */
  readonly onDamaged?: ((position: number) => void) | undefined;
}

/** Reads a session's checkpoint and records, checks them, and passes over one that was torn at the end. */
export class RecordReader {
  /** The checkpoint that the caller has just read itself, as the store gave it: no other one is read while it is set. */
  justRead: Checkpoint | undefined;
  readonly #options: RecordReaderOptions;
  /** The damaged record at the end, until an append says that it is passed over. */
  #damaged: number | undefined;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
  }

  /** The position of a damaged record that the next append has to pass over. */
  get damaged(): number | undefined {
    return this.#damaged;
  }

  /** An append said that the damaged record is passed over. */
  repaired(): void {
    this.#damaged = undefined;
  }

  /** Tries again for as long as the options say. */
  retry(): Retry {
    return new Retry(this.#options.retry);
  }

  async checkpoint(retry: Retry = this.retry()): Promise<Checkpoint | undefined> {
    return this.#newest(() => this.#checkpoint(retry), shownByCheckpoint, retry);
  }

  /** @throws LedgerUnreadableError for a record that cannot be read, unless it is the newest one. */
  async read(from: number, retry: Retry = this.retry()): Promise<LedgerPage> {
    const page = await this.#newest(
      () => this.#read(from, retry),
      (read) => shownBy(read, from),
      retry,
    );
    // The first record of a rewritten log holds the state; without it, all earlier items are missing.
    if (page.start === undefined || page.records[0]?.type === 'state') return page;
    throw new LedgerUnreadableError(
      this.#options.sessionId,
      page.start,
      'damaged',
      'the state that the log begins with is missing',
    );
  }

  /** Reads again as long as the store shows less than it did before, which it may do for a moment or for good. */
  async #newest<T>(read: () => Promise<T>, shownIn: (found: T) => Shown, retry: Retry): Promise<T> {
    const { known } = this.#options;
    for (;;) {
      const seen = known?.seen;
      const found = await read();
      const shown = shownIn(found);
      if (known === undefined) return found;
      if (!isRewound(shown, seen)) {
        known.seen = newerOf(known.seen, shown);
        return found;
      }
      this.justRead = undefined;
      if (await retry.pause()) continue;
      // Deleted in this process meanwhile, or written again.
      if (known.seen === undefined || seen === undefined || known.seen !== seen) continue;
      const left = await this.#agreedEnd(retry);
      // Nothing of the session that was known is left.
      const isOther = isOfAnother(left, seen);
      const version = isOther ? 0 : left.version;
      known.seen = undefined;
      known.rewind = { seen, version, isRecorded: isOther };
      this.#options.onRewound?.(version);
    }
  }

  /** The end of which the checkpoint and the records agree. A contradiction is damage, not loss. */
  async #agreedEnd(retry: Retry): Promise<Shown> {
    const end = shownByCheckpoint(await this.#checkpoint(retry));
    const { version, commitAt } = end;
    if (version === 0) return end;
    const position = version - 1;
    const said = commitAt(position);
    const stored = shownBy(await this.#read(position, retry), position).commitAt(position);
    if (!said || !stored || said === stored) return end;
    const problem = 'the checkpoint names another append';
    throw new LedgerUnreadableError(this.#options.sessionId, position, 'damaged', problem);
  }

  async #checkpoint(retry: Retry): Promise<Checkpoint | undefined> {
    const { store, sessionId } = this.#options;
    const checkpoint = this.justRead ?? (await retry.run(() => store.checkpoint(sessionId)));
    return checkpoint === undefined ? undefined : parseCheckpoint(checkpoint, sessionId);
  }

  async #read(from: number, retry: Retry): Promise<LedgerPage> {
    const { store, sessionId } = this.#options;
    const fetch: LedgerStore['read'] = (...range) => retry.run(() => store.read(...range));
    const { damaged, ...page } = await readPastDamage({ read: fetch }, sessionId, from);
    const first = page.start ?? from;
    for (const { position, error } of damaged) {
      const following = page.records.slice(position - first + 1);
      if (following.some((record) => record.type === 'repair' && record.position === position)) continue;
      if (following.length > 0) throw error;
      if (this.#damaged === position) continue;
      this.#damaged = position;
      this.#options.onDamaged?.(position);
    }
    return page;
  }
}

/** A record that cannot be read, and the error that says so. */
export interface UnreadableRecord {
  readonly position: number;
  readonly error: unknown;
}

/** A page in which a placeholder that changes nothing stands for each damaged record. */
export interface ReadablePage extends LedgerPage {
  readonly damaged: readonly UnreadableRecord[];
}

/**
 * Reads all records from a position on, past every damaged one.
 *
 * @throws LedgerUnreadableError for a record of another format, and the errors of the store.
 */
export async function readPastDamage(
  store: Pick<LedgerStore, 'read'>,
  sessionId: string,
  from: number,
): Promise<ReadablePage> {
  let start: number | undefined;
  let next = from;
  const records: LedgerRecord[] = [];
  const damaged: UnreadableRecord[] = [];
  for (;;) {
    const { page, unreadable } = await readUpToDamage(store, sessionId, next);
    // The log was rewritten between two reads.
    if (
      page.start !== undefined &&
      (next > from || (unreadable !== undefined && page.start > unreadable.position))
    )
      return readPastDamage(store, sessionId, from);
    start ??= page.start;
    records.push(...page.records);
    if (unreadable === undefined) return { ...(start === undefined ? {} : { start }), records, damaged };
    damaged.push(unreadable);
    records.push(placeholder(unreadable.position));
    next = unreadable.position + 1;
  }
}

/** The records from a position on, up to the first damaged one. */
async function readUpToDamage(
  store: Pick<LedgerStore, 'read'>,
  sessionId: string,
  from: number,
): Promise<{ readonly page: LedgerPage; readonly unreadable: UnreadableRecord | undefined }> {
  const read = async (to?: number): Promise<LedgerPage> =>
    parsePage(await store.read(sessionId, from, to), sessionId, from);
  try {
    return { page: await read(), unreadable: undefined };
  } catch (error) {
    const position = damagedPosition(error);
    if (position === undefined || position < from) throw error;
    return { page: await read(position), unreadable: { position, error } };
  }
}

function parsePage(page: unknown, sessionId: string, from: number): LedgerPage {
  if (!isPage(page))
    throw new LedgerUnreadableError(sessionId, undefined, 'damaged', 'the store gave no records');
  const start = page.start !== undefined && page.start > from ? page.start : undefined;
  const first = start ?? from;
  const records = page.records.map((record, index) => parseRecord(record, sessionId, first + index));
  return { ...(start === undefined ? {} : { start }), records };
}

function placeholder(position: number): LedgerRecord {
  return { v: LEDGER_FORMAT, commit: '', time: 0, type: 'repair', position };
}

function isPage(value: unknown): value is LedgerPage {
  return isObject(value) && Array.isArray(value['records']);
}

function damagedPosition(error: unknown): number | undefined {
  if (!isObject(error) || error['code'] !== 'ledger_unreadable' || error['reason'] !== 'damaged')
    return undefined;
  return typeof error['position'] === 'number' ? error['position'] : undefined;
}

/**
 * The state of a session as its records tell it: the newest, or as it was at a version that it has left behind. The versions
 * before a rewrite are gone.
 */
export async function stateAt(
  reader: RecordReader,
  version = Number.POSITIVE_INFINITY,
): Promise<LedgerState> {
  const page = await reader.read(0);
  const state = stateBefore(page);
  applyRecords(state, page.records.slice(0, Math.max(0, version - state.version)));
  return state;
}

/** The state that the records of a page go on from. */
export function stateBefore({ start = 0 }: Pick<LedgerPage, 'start'>): LedgerState {
  return { ...emptyState(), start, version: start };
}
