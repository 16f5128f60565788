import assert from 'node:assert/strict';
import type { LedgerHead, LedgerRecord, LedgerStore } from '../../src/index.ts';

/** A store that is open, and how to close it, where it can be closed. */
export interface OpenLedgerStore {
  readonly store: LedgerStore;
  /** Without it, use after close is not checked. */
  readonly close?: (() => Promise<void>) | undefined;
}

/** A new and empty place that stores can be opened on. */
export interface LedgerStorePlace {
  /** Opens a store here; called again it opens another one, as another process would. */
  readonly open: () => OpenLedgerStore | Promise<OpenLedgerStore>;
  /** Removes the place when a check is done with it. */
  readonly remove?: () => Promise<void>;
}

/** The store that is checked. */
export interface LedgerStoreSubject {
  readonly create: () => LedgerStorePlace | Promise<LedgerStorePlace>;
  /** A session ID that was not used before. Default: a random one. */
  readonly newSessionId?: (place: LedgerStorePlace) => string | Promise<string>;
  /** Whether any text can be a session ID. Default true. */
  readonly anySessionId?: boolean;
  /** Whether a store opened later on the same place sees what was appended. Default true; false for memory. */
  readonly durable?: boolean;
  /** Whether of two stores open on the same place only one can win a version. Default: as `durable` says. */
  readonly exclusive?: boolean;
}

/** One thing that every store does, and a function that rejects when this one does not. */
export interface LedgerStoreCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * What `LedgerStore` promises, as checks for any test runner.
 *
 * ```ts
 * for (const { name, run } of ledgerStoreContract({ create })) test(name, run);
 * ```
 *
 * A store that keeps only the newest records passes too, if what it gives back begins at a `base` that was a head.
 * Allow a minute for a check: one appends 10,000 records, another several megabytes.
 */
export function ledgerStoreContract(subject: LedgerStoreSubject): LedgerStoreCheck[] {
  const { durable = true, anySessionId = true, exclusive = durable } = subject;
  const checks: LedgerStoreCheck[] = [];
  const check = (name: string, body: (bench: Bench) => Promise<void>): void => {
    checks.push({ name, run: () => withBench(subject, body) });
  };

  check('knows nothing of a session that was never written', async (bench) => {
    const id = await bench.sessionId();
    assert.equal(await bench.store.head(id), undefined);
    assert.deepEqual(await bench.store.read(id), { records: [] });
    assert.deepEqual(await bench.store.read(id, 5), { records: [] });
    await bench.store.delete(id);
  });

  check('gives back what was appended, in order', async (bench) => {
    const session = await bench.session();
    await session.append(3);
    await session.expect();
    await session.append(1);
    await session.append(2);
    await session.expect();
  });

  check('reads from a position, up to the end and beyond it', async (bench) => {
    const session = await bench.session();
    await session.append(4);
    await session.append(3);
    for (const from of [0, 1, 3, 4, 6, 7]) await session.expect(from);
    const beyond = await bench.store.read(session.id, 100);
    assert.deepEqual(beyond.records, []);
  });

  check('reads up to a position, which is not included', async (bench) => {
    const session = await bench.session();
    await session.append(5);
    for (const [from, to] of [
      [0, 5],
      [0, 2],
      [1, 3],
      [2, 2],
      [4, 9],
    ] as const) {
      const page = await bench.store.read(session.id, from, to);
      // A store that keeps no beginning has a base instead of records.
      if (page.base === undefined) assert.deepEqual(page.records, session.records.slice(from, to));
    }
  });

  check('replaces the head alone when there are no records', async (bench) => {
    const session = await bench.session();
    await session.append(2);
    const head = { ...headAt(2), length: 1 };
    await bench.store.append(session.id, [], head, 2);
    assert.deepEqual(await bench.store.head(session.id), head);
    await rejectsWithConflict(bench.store.append(session.id, [record(2)], headAt(2), 1), session.id, 1);
  });

  check('refuses an append that expects another version, and changes nothing', async (bench) => {
    const session = await bench.session();
    await rejectsWithConflict(bench.store.append(session.id, [record(1)], headAt(2), 1), session.id, 1);
    assert.equal(await bench.store.head(session.id), undefined);
    await session.append(3);
    for (const expected of [0, 2, 4]) {
      const append = bench.store.append(session.id, [record(77)], headAt(expected + 1), expected);
      await rejectsWithConflict(append, session.id, expected);
    }
    await session.expect();
  });

  check('appends all records or none', async (bench) => {
    const session = await bench.session();
    await session.append(2);
    const broken: LedgerRecord = Object.defineProperty({ ...record(3) }, 'time', {
      enumerable: true,
      get() {
        throw new Error('A fault in the middle');
      },
    });
    const append = bench.store.append(session.id, [record(2), broken, record(4)], headAt(5), 2);
    const appended = await append.then(
      () => true,
      () => false,
    );
    if (appended) {
      // Only a store that does not keep them can have appended records that nobody can read.
      assert.deepEqual(await bench.store.read(session.id), { base: headAt(5), records: [] });
      return;
    }
    await session.expect();
    await session.append(3);
    await session.expect();
  });

  check('is not touched by what happens to objects given to it or taken from it', async (bench) => {
    const session = await bench.session();
    const given = record(0);
    const head = headAt(1);
    await bench.store.append(session.id, [given], head, 0);
    Object.assign(given, { time: -1 });
    Object.assign(head, { length: -1 });
    for (const taken of [await bench.store.head(session.id), ...(await bench.store.read(session.id)).records])
      Object.assign(taken ?? {}, { length: -2, time: -2 });
    assert.deepEqual(await bench.store.head(session.id), headAt(1));
    assertPage(await bench.store.read(session.id), [record(0)], [headAt(1)], 0);
  });

  check('keeps every text exactly', async (bench) => {
    const session = await bench.session();
    await session.appendTexts(UNUSUAL_TEXTS);
    await session.expect();
  });

  check('keeps records of several megabytes', async (bench) => {
    const session = await bench.session();
    await session.appendTexts(['x'.repeat(5_000_000)]);
    await session.appendTexts(['"\\'.repeat(1_000_000), '\u{1F600}\u0000'.repeat(500_000), 'small']);
    await session.expect();
  });

  check('keeps 10,000 records, and a head that does not grow with them', async (bench) => {
    const session = await bench.session();
    await session.append(1);
    const small = JSON.stringify(await bench.store.head(session.id)).length;
    for (let batch = 0; batch < 20; batch += 1) await session.append(500);
    await session.expect();
    await session.expect(9_990);
    const large = JSON.stringify(await bench.store.head(session.id)).length;
    assert.ok(large <= small + 20, `the head grew from ${small} to ${large} characters`);
  });

  check('keeps sessions apart', async (bench) => {
    const one = await bench.session();
    const other = await bench.session();
    await one.append(2);
    await other.append(5);
    await one.append(1);
    await one.expect();
    await other.expect();
  });

  check('forgets a deleted session, and no other', async (bench) => {
    const one = await bench.session();
    const other = await bench.session();
    await one.append(5);
    await other.append(2);
    await bench.store.delete(one.id);
    assert.equal(await bench.store.head(one.id), undefined);
    assert.deepEqual(await bench.store.read(one.id), { records: [] });
    await rejectsWithConflict(bench.store.append(one.id, [record(5)], headAt(6), 5), one.id, 5);
    await bench.store.delete(one.id);
    await other.expect();
    const again = new SessionUnderTest(bench.store, one.id);
    await again.append(2);
    await again.expect();
  });

  check('forgets a session only at the version that is expected', async (bench) => {
    const session = await bench.session();
    await bench.store.delete(session.id, 0);
    await rejectsWithConflict(bench.store.delete(session.id, 1), session.id, 1);
    await session.append(3);
    for (const expected of [0, 2, 4])
      await rejectsWithConflict(bench.store.delete(session.id, expected), session.id, expected);
    await session.expect();
    await bench.store.delete(session.id, 3);
    assert.equal(await bench.store.head(session.id), undefined);
    assert.deepEqual(await bench.store.read(session.id), { records: [] });
    await rejectsWithConflict(bench.store.delete(session.id, 3), session.id, 3);
  });

  check('lets either an append or a delete of a version win', async (bench) => {
    const [appender, deleter] = await bench.writers(2, exclusive);
    assert.ok(appender !== undefined && deleter !== undefined);
    for (let turn = 0; turn < 10; turn += 1) {
      const session = await bench.session();
      await session.append(1);
      const wins = (change: Promise<void>): Promise<boolean> =>
        change.then(
          () => true,
          (error: unknown) => {
            assertConflict(error, session.id, 1);
            return false;
          },
        );
      const [isAppended, isDeleted]: boolean[] = await Promise.all([
        wins(appender.append(session.id, [record(1)], headAt(2), 1)),
        wins(deleter.delete(session.id, 1)),
      ]);
      assert.notEqual(isAppended, isDeleted, 'not exactly one of them won');
      const head = await bench.store.head(session.id);
      assert.equal(head?.version, isAppended ? 2 : undefined);
    }
  });

  if (anySessionId) {
    check('takes any text as a session ID, and confuses no two', async (bench) => {
      const sessions = UNUSUAL_IDS.map((id) => new SessionUnderTest(bench.store, id));
      for (const [index, session] of sessions.entries()) await session.appendTexts([`session ${index}`]);
      for (const session of sessions) await session.append(1);
      for (const session of sessions) await session.expect();
      for (const [index, session] of sessions.entries())
        if (index % 2 === 0) await bench.store.delete(session.id);
      for (const [index, session] of sessions.entries()) {
        if (index % 2 === 0) assert.equal(await bench.store.head(session.id), undefined);
        else await session.expect();
      }
    });
  }

  check('lets exactly one of the appenders of a version win', async (bench) => {
    const { id } = await bench.session();
    const writers = await bench.writers(8, exclusive);
    for (const version of [0, 1, 2]) {
      const outcomes = await Promise.allSettled(
        writers.map(async (store, writer) =>
          store.append(id, [record(version, `writer ${writer}`)], headAt(version + 1), version),
        ),
      );
      const winners = outcomes.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writer] : []));
      assert.equal(winners.length, 1, `${winners.length} appenders won version ${version}`);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assertConflict(outcome.reason, id, version);
      assertPage(
        await bench.store.read(id, version),
        [...Array.from({ length: version }, () => record(0)), record(version, `writer ${winners[0]}`)],
        [headAt(version + 1)],
        version,
      );
    }
  });

  check('puts the appends of many writers in one order without gaps', async (bench) => {
    const { id } = await bench.session();
    const writers = await bench.writers(6, exclusive);
    const won = new Map<number, string>();
    const done = new AbortController();
    const watcher = (async () => {
      while (!done.signal.aborted) {
        const { base, records } = await bench.store.read(id);
        assert.equal(((base?.version ?? 0) + records.length) % 3, 0, 'a reader saw half an append');
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const finished = Promise.all(
      writers.map(async (store, writer) => {
        for (let turn = 0; turn < 8; turn += 1) {
          const name = `writer ${writer}, turn ${turn}`;
          const version = await appendWhereverItEnds(store, id, name);
          assert.equal(won.has(version), false, `version ${version} was won twice`);
          won.set(version, name);
        }
      }),
    );
    await finished.finally(() => done.abort());
    await watcher;
    const names = [...won].toSorted(([a], [b]) => a - b).map(([, name]) => name);
    assert.deepEqual(
      [...won.keys()].toSorted((a, b) => a - b),
      names.map((_, index) => index * 3),
    );
    const order = names.flatMap((name, index) => [0, 1, 2].map((step) => record(index * 3 + step, name)));
    const heads = names.map((_, index) => headAt((index + 1) * 3));
    assertPage(await bench.store.read(id), order, heads, 0);
  });

  if (durable) {
    check('still has it when it is opened again', async (bench) => {
      const session = await bench.session();
      await session.append(3);
      const again = session.on(await bench.reopen());
      await again.expect();
      await again.append(2);
      await again.expect(1);
    });

    check('sees at once what another store on the same place does', async (bench) => {
      const session = await bench.session();
      const [other] = await bench.writers(1, true);
      assert.ok(other !== undefined);
      await session.append(2);
      const there = session.on(other);
      await there.expect();
      await there.append(1);
      await rejectsWithConflict(bench.store.append(session.id, [record(2)], headAt(3), 2), session.id, 2);
      assertPage(await bench.store.read(session.id), there.records, there.heads, 0);
      await other.delete(session.id);
      assert.equal(await bench.store.head(session.id), undefined);
    });
  }

  check('fails with words when it is used after it was closed', async (bench) => {
    const session = await bench.session();
    await session.append(1);
    if (!(await bench.close())) return;
    const uses: (() => Promise<unknown>)[] = [
      () => bench.store.head(session.id),
      () => bench.store.read(session.id),
      () => bench.store.append(session.id, [record(1)], headAt(2), 1),
      () => bench.store.delete(session.id),
    ];
    for (const use of uses) {
      await assert.rejects(within(10_000, use), (error) => {
        assert.ok(error instanceof Error && error.message !== '', 'it failed without a message');
        assert.notEqual(codeOf(error), 'ledger_conflict');
        return true;
      });
    }
  });

  return checks;
}

/** A place, a store open on it, and everything else that was opened for a check. */
class Bench {
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

async function withBench(subject: LedgerStoreSubject, body: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = await Bench.create(subject);
  try {
    await body(bench);
  } finally {
    await bench.remove();
  }
}

/** A session and what it should contain. */
class SessionUnderTest {
  readonly id: string;
  readonly records: LedgerRecord[];
  readonly heads: LedgerHead[];
  readonly #store: LedgerStore;

  constructor(store: LedgerStore, id: string, records: LedgerRecord[] = [], heads: LedgerHead[] = []) {
    this.id = id;
    this.records = records;
    this.heads = heads;
    this.#store = store;
  }

  /** The same session in another store. */
  on(store: LedgerStore): SessionUnderTest {
    return new SessionUnderTest(store, this.id, this.records, this.heads);
  }

  append(count: number): Promise<void> {
    return this.appendTexts(Array.from({ length: count }, (_, index) => `record ${index} of ${count}`));
  }

  async appendTexts(texts: readonly string[]): Promise<void> {
    const expected = this.records.length;
    const records = texts.map((text, index) => record(expected + index, text));
    const head = headAt(expected + records.length);
    await this.#store.append(this.id, records, head, expected);
    this.records.push(...records);
    this.heads.push(head);
  }

  async expect(from = 0): Promise<void> {
    assert.deepEqual(await this.#store.head(this.id), this.heads.at(-1));
    assertPage(await this.#store.read(this.id, from), this.records, this.heads, from);
  }
}

/** The page holds the records from there on, or from a later base on, which is then one of the heads. */
function assertPage(
  page: { readonly base?: LedgerHead; readonly records: readonly LedgerRecord[] },
  records: readonly LedgerRecord[],
  heads: readonly LedgerHead[],
  from: number,
): void {
  const start = page.base?.version ?? from;
  if (page.base !== undefined) {
    assert.ok(start >= from, `the base lies before position ${from}`);
    assert.deepEqual(
      page.base,
      heads.find(({ version }) => version === start),
    );
  }
  const expected = records.slice(start);
  assert.equal(page.records.length, expected.length);
  for (const [index, entry] of expected.entries()) assert.deepEqual(page.records[index], entry);
}

/** Appends three records, again and again until no other writer was faster. @returns the version it was appended to. */
async function appendWhereverItEnds(store: LedgerStore, id: string, name: string): Promise<number> {
  for (;;) {
    const version = (await store.head(id))?.version ?? 0;
    const records = [0, 1, 2].map((step) => record(version + step, name));
    try {
      await store.append(id, records, headAt(version + 3), version);
      return version;
    } catch (error) {
      assertConflict(error, id, version);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    }
  }
}

async function rejectsWithConflict(change: Promise<void>, id: string, expected: number): Promise<void> {
  await assert.rejects(change, (error) => {
    assertConflict(error, id, expected);
    return true;
  });
}

function assertConflict(error: unknown, id: string, expected: number): void {
  assert.equal(codeOf(error), 'ledger_conflict', `an append failed otherwise: ${String(error)}`);
  assert.deepEqual(
    [Reflect.get(error as object, 'sessionId'), Reflect.get(error as object, 'expected')],
    [id, expected],
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** So that a promise that stays pending fails the check and does not hang it. */
async function within<T>(milliseconds: number, use: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: 'it never answered' })),
      milliseconds,
    );
  });
  return Promise.race([use(), late]).finally(() => clearTimeout(timer));
}

function record(at: number, text = ''): LedgerRecord {
  return {
    v: 1,
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

function headAt(version: number): LedgerHead {
  return {
    format: 1,
    version,
    length: version,
    digest: digest(version),
    response: { id: `resp_${digest(version)}`, time: 1_767_225_600_000, store: true },
  };
}

/** As long as a real one. */
function digest(seed: number): string {
  return String(seed).padStart(43, 'A');
}

const UNUSUAL_TEXTS: readonly string[] = [
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

const UNUSUAL_IDS: readonly string[] = [
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
