import type { Checkpoint, LedgerRecord } from '../../ledger/record.ts';
import type { LedgerPage, LedgerStore } from '../../ledger/store.ts';
import type { Living, SessionCipher } from './cipher.ts';

/** So often the records are read again because the checkpoint is already another one; more than that is no coincidence. */
const TRIES = 100;

/** The records that are asked for: `to` is not included. */
export interface SealedRange {
  readonly sessionId: string;
  readonly from: number;
  readonly to: number | undefined;
}

/** Decrypted records, of one life. */
interface OpenPage {
  readonly page: LedgerPage;
  readonly life: string | undefined;
  /** The position behind the last record. */
  readonly end: number;
}

/**
 * Reads records, decrypts them, and compares them with the checkpoint.
 *
 * The checkpoint is read after the records, so that it can only be newer: then the records are read again. Where they are still
 * the same, one of the two was not stored last.
 *
 * @throws LedgerUnreadableError
 */
export async function readSealed(
  inner: LedgerStore,
  cipher: SessionCipher,
  { sessionId, from, to }: SealedRange,
): Promise<LedgerPage> {
  let before: OpenPage | undefined;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const opened = openPage(cipher, await inner.read(sessionId, from, to), from);
    const sealed = await inner.checkpoint(sessionId);
    const checkpoint = sealed === undefined ? undefined : cipher.openCheckpoint(sealed);
    if (belongs(opened, checkpoint, to)) return opened.page;
    if (before?.life === opened.life && before?.end === opened.end) break;
    before = opened;
  }
  throw cipher.rolledBack();
}

/** @throws LedgerUnreadableError, also where one record is of another life than the first. */
function openPage(cipher: SessionCipher, sealed: LedgerPage, from: number): OpenPage {
  const { start = from } = sealed;
  let life: string | undefined;
  const records = sealed.records.map((envelope, index): LedgerRecord => {
    const record = cipher.openRecord(envelope, start + index);
    life ??= record.life;
    if (record.life !== life) throw cipher.rolledBack();
    return record.value;
  });
  const page = {
    ...(sealed.start === undefined ? {} : { start }),
    records,
  };
  return { page, life, end: start + records.length };
}

/** Whether the records can be those that the checkpoint was stored with. */
function belongs(
  { life, end, page }: OpenPage,
  checkpoint: Living<Checkpoint> | undefined,
  to: number = Number.POSITIVE_INFINITY,
): boolean {
  if (checkpoint === undefined) return life === undefined && page.start === undefined;
  const { version } = checkpoint.value;
  if (life !== undefined && (checkpoint.life !== life || end > version)) return false;
  return end >= Math.min(version, to);
}
