import { parseRecord, recordOf, type LedgerRecord, type LedgerStep } from './record.ts';

const IMPORT_PREFIX = 'import.';

/** Whether a commit imported its items: their IDs are claims of the imported file. */
export function isImport(commit: string): boolean {
  return commit.startsWith(IMPORT_PREFIX);
}

/** The IDs of one ledger's commits: `<store instance>.<session object>/<commit>`. */
export class CommitIds {
  readonly #storeInstance: string;
  readonly #writer: string;

  constructor(store: object, imports = false) {
    this.#storeInstance = imports ? IMPORT_PREFIX : storeInstanceId(store);
    this.#writer = `${this.#storeInstance}${globalThis.crypto.randomUUID().slice(0, 8)}/`;
  }

  next(): string {
    return `${this.#writer}${globalThis.crypto.randomUUID()}`;
  }

  /** The writer of a commit: this session object, another one on the same store object, or another process. */
  writerOf(commit: string): 'session' | 'process' | 'remote' {
    if (commit.startsWith(this.#writer)) return 'session';
    return commit.startsWith(this.#storeInstance) ? 'process' : 'remote';
  }
}

const instanceIds = new WeakMap<object, string>();

/**
 * The ID of a store object in this process. Its commits begin with it.
 *
 * If a commit carries this ID and this process is not working on it, no process is.
 */
export function storeInstanceId(store: object): string {
  const known = instanceIds.get(store);
  if (known !== undefined) return known;
  const id = `${globalThis.crypto.randomUUID().slice(0, 8)}.`;
  instanceIds.set(store, id);
  return id;
}

/**
 * The records of steps.
 *
 * @param version the ledger's version before the append.
 * @throws LedgerUnreadableError for a record that could not be read again: no record behind it could be read either.
 */
export function stampSteps(
  steps: readonly LedgerStep[],
  stamp: Pick<LedgerRecord, 'commit' | 'time'>,
  sessionId: string,
  version: number,
): LedgerRecord[] {
  return steps.map((step, index) => parseRecord(recordOf(step, stamp), sessionId, version + index));
}
