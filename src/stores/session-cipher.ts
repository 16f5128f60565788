import { LedgerDecryptionError } from '../errors/ledger-decryption-error.ts';
import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { isObject } from '../ledger/json.ts';
import { LEDGER_FORMAT, type LedgerHead, type LedgerRecord } from '../ledger/ledger-record.ts';
import { decodeHead, decodeRecord } from './decode-record.ts';
import { seal, sessionSecret, unseal, type LedgerKey } from './sealed-box.ts';

/** The version of the envelope. */
const SEALED_FORMAT = 1;

/** The first encrypts, all decrypt. */
export type LedgerKeys = readonly [LedgerKey, ...LedgerKey[]];

/** Encrypts and decrypts the records and heads of one session. */
export class SessionCipher {
  readonly #sessionId: string;
  readonly #keys: LedgerKeys;
  /** Derived once for each key used. */
  readonly #secrets = new Map<string, Uint8Array>();

  constructor(sessionId: string, keys: LedgerKeys) {
    this.#sessionId = sessionId;
    this.#keys = keys;
  }

  /** The envelope that travels in the record's place: a store never looks into what it keeps. */
  sealRecord(record: LedgerRecord, at: number): LedgerRecord {
    const [key] = this.#keys;
    const data = seal(this.#secretOf(key), this.#place('record', at), JSON.stringify(record));
    const envelope: object = { v: SEALED_FORMAT, type: 'sealed', key: key.id, data };
    return envelope as LedgerRecord;
  }

  /** @throws LedgerDecryptionError, LedgerRecordError */
  openRecord(envelope: unknown, at: number): LedgerRecord {
    if (!isObject(envelope) || envelope['type'] !== 'sealed') throw this.#plain(at);
    const { v, key, data } = envelope;
    if (typeof v === 'number' && v > SEALED_FORMAT) {
      const problem = `its encryption has format ${v}, this version reads up to ${SEALED_FORMAT}; update agents-hybrid-session`;
      throw new LedgerRecordError(this.#sessionId, at, 'newer-format', problem);
    }
    const text = this.#unseal(String(key), this.#place('record', at), String(data), at);
    return decodeRecord(text, this.#sessionId, at);
  }

  /** A head of the same version and length; everything else is in the place of its digest, encrypted. */
  sealHead(head: LedgerHead): LedgerHead {
    const { version, length } = head;
    const [key] = this.#keys;
    const data = seal(this.#secretOf(key), this.#place('head', version, length), JSON.stringify(head));
    return { format: LEDGER_FORMAT, version, length, digest: `sealed.${data}.${key.id}` };
  }

  /** @throws LedgerDecryptionError, LedgerRecordError */
  openHead({ version, length, digest }: LedgerHead): LedgerHead {
    const [, data, keyId] = /^sealed\.([^.]*)\.(.*)$/s.exec(digest) ?? [];
    if (data === undefined || keyId === undefined) throw this.#plain(undefined);
    const text = this.#unseal(keyId, this.#place('head', version, length), data, undefined);
    return decodeHead(text, this.#sessionId);
  }

  #unseal(keyId: string, place: string, data: string, at: number | undefined): string {
    const key = this.#keys.find(({ id }) => id === keyId);
    if (key === undefined) throw new LedgerDecryptionError(this.#sessionId, at, keyId, 'unknown-key');
    try {
      return unseal(this.#secretOf(key), place, data);
    } catch (cause) {
      throw new LedgerDecryptionError(this.#sessionId, at, keyId, 'not-authentic', { cause });
    }
  }

  /** What is encrypted is bound to it: moved elsewhere, it does not open. */
  #place(what: 'record' | 'head', ...at: number[]): string {
    return JSON.stringify([SEALED_FORMAT, what, this.#sessionId, ...at]);
  }

  #secretOf({ id, secret }: LedgerKey): Uint8Array {
    const known = this.#secrets.get(id) ?? sessionSecret(secret, this.#sessionId);
    this.#secrets.set(id, known);
    return known;
  }

  #plain(at: number | undefined): LedgerDecryptionError {
    return new LedgerDecryptionError(this.#sessionId, at, undefined, 'not-encrypted');
  }
}
