import assert from 'node:assert/strict';
import type { Checkpoint, LedgerRecord } from '../ledger/record.ts';
import type { LedgerPage, LedgerStore, SessionsOptions, SessionSummary } from '../ledger/store.ts';
import type { LedgerStorePlace, LedgerStoreSubject, OpenLedgerStore } from './ledger-store-subject.ts';

/** A place, a store open on it, and everything else that was opened for a check. */
export class Bench {
  store: LedgerStore;
  readonly #subject: LedgerStoreSubject;
  readonly #place: LedgerStorePlace;
  readonly #opened: OpenLedgerStore[];

  private constructor(subject: LedgerStoreSubject, place: LedgerStorePlace, first: OpenLedgerStore) {
    this.#subject = subject;
    this.#place = place;
    this.#opened = [first];
    this.store = first.store;
  }

  static async create(subject: LedgerStoreSubject): Promise<Bench> {
    const place = await subject.create();
    return new Bench(subject, place, await place.open());
  }

  async sessionId(): Promise<string> {
    return (await this.#subject.newSessionId?.(this.#place)) ?? `session-${crypto.randomUUID()}`;
  }

  async session(): Promise<SessionUnderTest> {
    return new SessionUnderTest(this.store, await this.sessionId());
  }

  /** New sessions of one record each. */
  async sessions(count: number): Promise<SessionUnderTest[]> {
    const sessions = await Promise.all(Array.from({ length: count }, () => this.session()));
    await Promise.all(sessions.map((session) => session.append(1)));
    return sessions;
  }

  /** Stores of their own where that is possible; all on this place. */
  async writers(count: number, apart: boolean): Promise<LedgerStore[]> {
    if (!apart) return Array.from({ length: count }, () => this.store);
    const opened = await Promise.all(Array.from({ length: count }, async () => this.#place.open()));
    this.#opened.push(...opened);
    return opened.map(({ store }) => store);
  }

  /** Closes everything that can be closed, and opens the place again. */
  async reopen(): Promise<LedgerStore> {
    await this.close();
    const opened = await this.#place.open();
    this.#opened.push(opened);
    this.store = opened.store;
    return opened.store;
  }

  /** @returns whether the store could be closed. */
  async close(): Promise<boolean> {
    const closing = this.#opened.splice(0).map(({ close }) => close);
    for (const close of closing) await close?.();
    return closing.some((close) => close !== undefined);
  }

  async remove(): Promise<void> {
    await this.close();
    await this.#place.remove?.();
  }
}

/** The sessions that a store lists; of one that lists none, none. */
export async function listed(store: LedgerStore, options?: SessionsOptions): Promise<SessionSummary[]> {
  const summaries: SessionSummary[] = [];
  for await (const summary of store.sessions?.(options) ?? []) summaries.push(summary);
  return summaries;
}

/** Whether a time, in milliseconds since the epoch, is of the last hour. */
export function isRecent(time: number): boolean {
  return Math.abs(Date.now() - time) < 3_600_000;
}

/** A session and its expected records. */
export class SessionUnderTest {
  readonly id: string;
  /** By position; nothing stands where a rewrite left nothing. */
  readonly records: LedgerRecord[];
  readonly #store: LedgerStore;

  constructor(store: LedgerStore, id: string, records: LedgerRecord[] = []) {
    this.id = id;
    this.records = records;
    this.#store = store;
  }

  /** The same session in another store. */
  on(store: LedgerStore): SessionUnderTest {
    return new SessionUnderTest(store, this.id, this.records);
  }

  append(count: number): Promise<void> {
    return this.appendTexts(Array.from({ length: count }, (_, index) => `record ${index} of ${count}`));
  }

  async appendTexts(texts: readonly string[]): Promise<void> {
    const expected = this.records.length;
    const records = texts.map((text, index) => record(expected + index, text));
    const checkpoint = checkpointAt(expected + records.length);
    await this.#store.append(this.id, records, checkpoint, expected);
    this.records.push(...records);
  }

  /** Replaces everything by these. */
  async rewrite(texts: readonly string[]): Promise<void> {
    const expected = this.records.length;
    const start = expected + 1;
    const records = texts.map((text, index) => record(start + index, text));
    const checkpoint = checkpointAt(start + records.length);
    await this.#store.rewrite(this.id, records, checkpoint, expected);
    this.records.length = start;
    this.records.fill(GONE);
    this.records.push(...records);
  }

  async expect(from = 0): Promise<void> {
    const { length } = this.records;
    assert.deepEqual(await this.#store.checkpoint(this.id), length === 0 ? undefined : checkpointAt(length));
    assertPage(await this.#store.read(this.id, from), this.records, from);
  }
}

/** The page holds the records from there on, or from where the log begins. */
export function assertPage(page: LedgerPage, records: readonly LedgerRecord[], from: number): void {
  const begins = records.lastIndexOf(GONE) + 1;
  assert.equal(page.start, begins > from ? begins : undefined);
  const expected = records.slice(page.start ?? from);
  assert.equal(page.records.length, expected.length);
  for (const [index, entry] of expected.entries()) assert.deepEqual(page.records[index], entry);
}

/** Appends three records, again and again until no other writer was faster. @returns the version it was appended to. */
export async function appendWhereverItEnds(store: LedgerStore, id: string, name: string): Promise<number> {
  for (;;) {
    const version = (await store.checkpoint(id))?.version ?? 0;
    const records = [0, 1, 2].map((step) => record(version + step, name));
    try {
      await store.append(id, records, checkpointAt(version + 3), version);
      return version;
    } catch (error) {
      assertConflict(error, id, version);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    }
  }
}

export async function rejectsWithConflict(
  change: Promise<void>,
  id: string,
  expected: number,
): Promise<void> {
  await assert.rejects(change, (error) => {
    assertConflict(error, id, expected);
    return true;
  });
}

export function assertConflict(error: unknown, id: string, expected: number): void {
  assert.equal(codeOf(error), 'ledger_conflict', `an append failed otherwise: ${String(error)}`);
  assert.deepEqual(
    [Reflect.get(error as object, 'sessionId'), Reflect.get(error as object, 'expected')],
    [id, expected],
  );
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** So that a promise that stays pending fails the check and does not hang it. */
export async function within<T>(milliseconds: number, use: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: 'it never answered' })),
      milliseconds,
    );
  });
  return Promise.race([use(), late]).finally(() => clearTimeout(timer));
}

export function record(at: number, text = ''): LedgerRecord {
  return {
    v: 3,
    commit: `writer/${at}`,
    time: 1_767_225_600_000 + at,
    type: 'items',
    items: [
      {
        digest: digest(at),
        kind: 'message:user',
        item: { type: 'message', role: 'user', content: text },
      },
    ],
  };
}

/** A record that nothing can read. */
export function broken(at: number): LedgerRecord {
  return Object.defineProperty(record(at), 'time', {
    enumerable: true,
    get() {
      throw new Error('A fault in the middle');
    },
  });
}

export function checkpointAt(version: number): Checkpoint {
  return {
    format: 3,
    version,
    length: version,
    digest: digest(version),
    response: { id: `resp_${digest(version)}`, time: 1_767_225_600_000, store: true },
  };
}

/** Stands where a position holds nothing any more. */
const GONE: LedgerRecord = record(-1, 'gone');

/** As long as a real one. */
function digest(seed: number): string {
  return String(seed).padStart(43, 'A');
}

export const UNUSUAL_TEXTS: readonly string[] = [
  '',
  ' ',
  'NULL',
  '\0',
  'a\0b',
  'line\nfeed\r\n\ttab',
  '"double" \'single\' `back` \\ \\" {a,b} {} , ; -- /* */',
  '$1 $$ ? :name @p %s',
  '\u{1F600} \u00E9 e\u0301 \u2028\u2029 \uFEFF \uFFFD \u202E',
  '\uD800',
  'half \uDC00 of a pair \uD83D',
  '\\u0000 \\ud800',
];

export const UNUSUAL_IDS: readonly string[] = [
  'conv_1',
  'CONV_1',
  'conv_1 ',
  ' conv_1',
  'conv_1\n',
  'a/b',
  'a//b',
  '../a',
  'a\\b',
  "it's",
  "'; DROP TABLE hybrid_session_ledger; --",
  '"quoted"',
  '`quoted`',
  '{',
  '}',
  '{}',
  '}{',
  'a{b}c',
  'a}b',
  'a%7Db',
  '%7B%7D',
  '%',
  '_',
  '*',
  '?',
  '$1',
  '~a',
  ':',
  'a:records',
  '__proto__',
  'constructor',
  '\u00E9',
  'e\u0301',
  '\u{1F600}',
  '\u{1F601}',
  '\u202Eabc',
  'a\0b',
  'a\0c',
  'a',
  '\uD800',
  '\uD801',
  `${'long'.repeat(256)}a`,
  `${'long'.repeat(256)}b`,
  `${'\u{1F600}'.repeat(1024)}a`,
  `${'\u{1F600}'.repeat(1024)}b`,
];
