import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A secret of at least 32 random bytes, and the ID by which what it encrypted names it. */
export interface LedgerKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/**
 * The key of one session, by HKDF-SHA256: what is encrypted for one session opens for no other, and no key comes near
 * the number of messages that random nonces are good for.
 */
export function sessionSecret(secret: Uint8Array, sessionId: string): Uint8Array {
  // By its digest: HKDF takes no more than 1 KB here, and half of a surrogate pair has no UTF-8.
  const session = createHash('sha256').update(Buffer.from(sessionId, 'utf16le')).digest('base64url');
  const info = `agents-hybrid-session/ledger/1/${session}`;
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(), info, KEY_BYTES));
}

/** Encrypts a text, bound to its place, as base64url of nonce, tag and ciphertext. */
export function seal(secret: Uint8Array, place: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url');
}

/** Decrypts what `seal` made; throws when the secret, the place or a single bit is another one. */
export function unseal(secret: Uint8Array, place: string, data: string): string {
  const bytes = Buffer.from(data, 'base64url');
  const tagEnd = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, secret, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, tagEnd));
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString('utf8');
}
