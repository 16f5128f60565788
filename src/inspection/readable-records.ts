import { LedgerDecryptionError } from '../errors/ledger-decryption-error.ts';
import { isObject } from '../ledger/json.ts';
import { LEDGER_FORMAT, parseRecord, type LedgerHead, type LedgerRecord } from '../ledger/ledger-record.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { DamagedRecord } from './ledger-inspection.ts';

/** What of a session can be read: where a record cannot, a placeholder that changes nothing stands for it. */
export interface ReadableRecords {
  readonly base: LedgerHead | undefined;
  readonly records: readonly LedgerRecord[];
  readonly damaged: readonly DamagedRecord[];
}

/**
 * Reads past every damaged record.
 *
 * @throws LedgerRecordError for records of a newer version, LedgerDecryptionError for encrypted ones, and what the store
 * throws.
 */
export async function readableRecords(store: LedgerStore, sessionId: string): Promise<ReadableRecords> {
  const records: LedgerRecord[] = [];
  const damaged: DamagedRecord[] = [];
  const passOver = (record: DamagedRecord): void => {
    damaged.push(record);
    records.push(placeholder(record.position));
  };
  let base: LedgerHead | undefined;
  let from = 0;
  let stop: DamagedRecord | undefined;
  for (;;) {
    try {
      const page = await store.read(sessionId, from, stop?.position);
      base ??= page.base;
      const start = page.base?.version ?? from;
      for (const [index, record] of page.records.entries()) {
        requirePlain(record, sessionId, start + index);
        try {
          records.push(parseRecord(record, sessionId, start + index));
        } catch (error) {
          passOver({ position: start + index, reason: damageOf(error).reason });
        }
      }
      if (stop === undefined) return { base, records, damaged };
      passOver(stop);
      from = stop.position + 1;
      stop = undefined;
    } catch (error) {
      // The store itself cannot read past this record: what lies before and behind it is read apart.
      const damage = damageOf(error);
      if (damage.position === undefined || damage.position < from || stop !== undefined) throw error;
      stop = { position: damage.position, reason: damage.reason };
    }
  }
}

/** @throws the error, when it is not about a damaged record. */
function damageOf(error: unknown): { readonly position: number | undefined; readonly reason: string } {
  if (!isObject(error) || error['code'] !== 'ledger_record' || error['reason'] !== 'damaged') throw error;
  const position = typeof error['position'] === 'number' ? error['position'] : undefined;
  const message = error instanceof Error ? error.message : '';
  return { position, reason: message.slice(message.lastIndexOf(': ') + 2) };
}

/** What `encryptedLedger` wrote is whole, and closed to who reads the store below it. */
function requirePlain(record: unknown, sessionId: string, position: number): void {
  if (!isObject(record) || record['type'] !== 'sealed') return;
  throw new LedgerDecryptionError(sessionId, position, String(record['key']), 'unknown-key');
}

function placeholder(position: number): LedgerRecord {
  return { v: LEDGER_FORMAT, commit: '', time: 0, type: 'repair', position };
}
