import { LedgerUnreadableError, unknownKeyError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import { LEDGER_FORMAT, type Checkpoint, type LedgerRecord } from '../../ledger/record.ts';
import { decodeCheckpoint, decodeRecord } from '../shared/decode-record.ts';
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/** The version of the envelope. */
const SEALED_FORMAT = 2;

/** The first encrypts, all decrypt. */
export type LedgerKeys = readonly [LedgerKey, ...LedgerKey[]];

/**
 * A ledger lives from its first append, or from a rewrite, to the next rewrite or its deletion. Every record and the checkpoint name
 * that life, so that none of an earlier one is taken for one of this.
 */
export interface Living<T> {
  readonly life: string;
  readonly value: T;
}

/** Encrypts and decrypts the records and checkpoints of one session. */
export class SessionCipher {
  readonly #sessionId: string;
  readonly #keys: LedgerKeys;
  /** Derived once for each key used. */
  readonly #secrets = new Map<string, Uint8Array>();

  constructor(sessionId: string, keys: LedgerKeys) {
    this.#sessionId = sessionId;
    this.#keys = keys;
  }

  /** The envelope that travels in the record's place: a store never looks into a record. */
  sealRecord(record: LedgerRecord, life: string, at: number): LedgerRecord {
    const [key] = this.#keys;
    const data = seal(this.#secretOf(key), this.#place('record', life, at), JSON.stringify(record));
    const envelope: object = { v: SEALED_FORMAT, type: 'sealed', life, key: key.id, data };
    return envelope as LedgerRecord;
  }

  /** @throws LedgerUnreadableError, LedgerUnreadableError */
  openRecord(envelope: unknown, at: number): Living<LedgerRecord> {
    if (!isObject(envelope) || envelope['type'] !== 'sealed') throw this.#plain(at);
    const { v, key, data } = envelope;
    const life = String(envelope['life']);
    if (typeof v === 'number' && v > SEALED_FORMAT) {
      const problem = `its encryption has format ${v}, this version reads up to ${SEALED_FORMAT}; update agents-hybrid-session`;
      throw new LedgerUnreadableError(this.#sessionId, at, 'newer_format', problem);
    }
    const text = this.#unseal(String(key), this.#place('record', life, at), String(data), at);
    return { life, value: decodeRecord(text, this.#sessionId, at) };
  }

  /** A checkpoint of the same version and length; everything else is in the place of its digest, encrypted. */
  sealCheckpoint(checkpoint: Checkpoint, life: string): Checkpoint {
    const { version, length } = checkpoint;
    const [key] = this.#keys;
    const text = JSON.stringify([life, JSON.stringify(checkpoint)]);
    const data = seal(this.#secretOf(key), this.#place('head', version, length), text);
    return { format: LEDGER_FORMAT, version, length, digest: `sealed.${data}.${key.id}` };
  }

  /** @throws LedgerUnreadableError, LedgerUnreadableError */
  openCheckpoint({ version, length, digest }: Checkpoint): Living<Checkpoint> {
    const [, data, keyId] = /^sealed\.([^.]*)\.(.*)$/s.exec(digest) ?? [];
    if (data === undefined || keyId === undefined) throw this.#plain(undefined);
    const text = this.#unseal(keyId, this.#place('head', version, length), data, undefined);
    const [life, checkpoint]: unknown[] = JSON.parse(text);
    return { life: String(life), value: decodeCheckpoint(checkpoint, this.#sessionId) };
  }

  /** @returns the error for the case that the records and the checkpoint are not of one moment. */
  rolledBack(): LedgerUnreadableError {
    const problem = 'it does not belong to the stored records: one of the two was restored or is missing';
    return new LedgerUnreadableError(this.#sessionId, undefined, 'rolled_back', problem);
  }

  #unseal(keyId: string, place: string, data: string, at: number | undefined): string {
    const key = this.#keys.find(({ id }) => id === keyId);
    if (key === undefined) throw unknownKeyError(this.#sessionId, at, keyId);
    try {
      return unseal(this.#secretOf(key), place, data);
    } catch (cause) {
      const problem = `key '${keyId}' does not open it: its secret is another one, or the stored data was changed`;
      throw new LedgerUnreadableError(this.#sessionId, at, 'not_authentic', problem, { cause, keyId });
    }
  }

  /** The ciphertext is bound to it: moved elsewhere, it does not open. */
  #place(what: 'record' | 'head', ...at: (string | number)[]): string {
    return JSON.stringify([SEALED_FORMAT, what, this.#sessionId, ...at]);
  }

  #secretOf({ id, secret }: LedgerKey): Uint8Array {
    const known = this.#secrets.get(id) ?? sessionSecret(secret, this.#sessionId);
    this.#secrets.set(id, known);
    return known;
  }

  #plain(at: number | undefined): LedgerUnreadableError {
    const problem = 'it was stored without encryption, which only the store below can read';
    return new LedgerUnreadableError(this.#sessionId, at, 'not_encrypted', problem);
  }
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A secret of at least 32 random bytes, and the ID by which its ciphertexts name it. */
export interface LedgerKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/**
 * The key of one session, by HKDF-SHA256: the ciphertext of one session opens for no other, and no key comes near
 * the number of messages that random nonces are good for.
 */
function sessionSecret(secret: Uint8Array, sessionId: string): Uint8Array {
  // By its digest: HKDF takes no more than 1 KB here, and half of a surrogate pair has no UTF-8.
  const session = createHash('sha256').update(Buffer.from(sessionId, 'utf16le')).digest('base64url');
  const info = `agents-hybrid-session/ledger/1/${session}`;
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), info, KEY_BYTES));
}

/** Encrypts a text, bound to its place, as base64url of nonce, tag and ciphertext. */
function seal(secret: Uint8Array, place: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url');
}

/** Decrypts a result of `seal`; throws when the secret, the place or a single bit is another one. */
function unseal(secret: Uint8Array, place: string, data: string): string {
  const bytes = Buffer.from(data, 'base64url');
  const tagEnd = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, secret, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, tagEnd));
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8');
}
