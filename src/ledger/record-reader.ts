import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { isObject } from './json.ts';
import {
  LEDGER_FORMAT,
  parseHead,
  parseRecord,
  type LedgerHead,
  type LedgerRecord,
} from './ledger-record.ts';
import type { LedgerPage, LedgerStore } from './ledger-store.ts';

/** What a reader needs. */
export interface RecordReaderOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** Called when the newest record is damaged: what it said is lost, and everything else is not. */
  readonly onDamaged?: ((position: number) => void) | undefined;
}

/** Reads a session's head and records, checks them, and passes over one that was torn at the end. */
export class RecordReader {
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

  async head(): Promise<LedgerHead | undefined> {
    const { store, sessionId } = this.#options;
    const head = await store.head(sessionId);
    return head === undefined ? undefined : parseHead(head, sessionId);
  }

  /** @throws LedgerRecordError for a record that cannot be read, unless it is the newest one. */
  async read(from: number): Promise<LedgerPage> {
    try {
      return await this.#fetch(from);
    } catch (error) {
      const position = damagedPosition(error);
      if (position === undefined || position < from) throw error;
      const before = await this.#fetch(from, position);
      const after = await this.#fetch(position + 1);
      const isKnown = after.records.some(
        (record) => record.type === 'repair' && record.position === position,
      );
      if (after.records.length > 0 && !isKnown) throw error;
      if (!isKnown && this.#damaged !== position) {
        this.#damaged = position;
        this.#options.onDamaged?.(position);
      }
      return { ...before, records: [...before.records, passedOver(position), ...after.records] };
    }
  }

  async #fetch(from: number, to?: number): Promise<LedgerPage> {
    const { store, sessionId } = this.#options;
    const page: unknown = await store.read(sessionId, from, to);
    if (!isPage(page))
      throw new LedgerRecordError(sessionId, undefined, 'damaged', 'the store gave no records');
    const base = page.base === undefined ? undefined : parseHead(page.base, sessionId);
    const start = base?.version ?? from;
    const records = page.records.map((record, index) => parseRecord(record, sessionId, start + index));
    return base === undefined ? { records } : { base, records };
  }
}

/** Stands where a record cannot be read; it changes nothing. */
function passedOver(position: number): LedgerRecord {
  return { v: LEDGER_FORMAT, commit: '', time: 0, type: 'repair', position };
}

function isPage(value: unknown): value is LedgerPage {
  return isObject(value) && Array.isArray(value['records']);
}

function damagedPosition(error: unknown): number | undefined {
  if (!isObject(error) || error['code'] !== 'ledger_record' || error['reason'] !== 'damaged')
    return undefined;
  return typeof error['position'] === 'number' ? error['position'] : undefined;
}
