import assert from 'node:assert/strict';
import {
  SessionUnderTest,
  rejectsWithConflict,
  assertConflict,
  record,
  broken,
  checkpointAt,
  UNUSUAL_IDS,
} from './store-bench.ts';
import type { AddCheck } from './add-check.ts';
import type { LedgerStoreSubject } from './ledger-store-subject.ts';

/** Checks of rewrites, deletes, and session IDs. */
export function rewriteChecks(check: AddCheck, subject: LedgerStoreSubject): void {
  const { durable = true, anySessionId = true, exclusive = durable } = subject;
  check('replaces everything in a rewrite, and goes on behind it', async (bench) => {
    const session = await bench.session();
    await session.append(5);
    await session.rewrite(['kept', 'also kept']);
    await session.expect();
    await session.append(2);
    await session.expect();
    await session.rewrite(['kept']);
    for (const from of [0, 3, 6, 9, 12, 13]) await session.expect(from);
    const text = JSON.stringify([
      await bench.store.checkpoint(session.id),
      await bench.store.read(session.id),
    ]);
    assert.ok(!text.includes('also') && !text.includes(' of '), 'it still gives what was replaced');
  });

  check('tells a reader who knows an older version that the log begins anew', async (bench) => {
    const session = await bench.session();
    await session.append(4);
    await session.rewrite(['a', 'b', 'c']);
    for (const from of [0, 3, 4]) {
      const { start, records } = await bench.store.read(session.id, from);
      assert.deepEqual([start, records.length], [5, 3]);
    }
    for (const [from, to, length] of [
      [0, 5, 0],
      [0, 6, 1],
      [3, 4, 0],
    ] as const) {
      const { records } = await bench.store.read(session.id, from, to);
      assert.equal(records.length, length);
    }
    for (const from of [5, 6, 8]) {
      const { start, records } = await bench.store.read(session.id, from);
      assert.deepEqual([start, records.length], [undefined, 8 - from]);
    }
  });

  check('takes a version for a rewrite without records', async (bench) => {
    const session = await bench.session();
    await session.append(2);
    await session.rewrite([]);
    assert.deepEqual(await bench.store.read(session.id), { start: 3, records: [] });
    assert.deepEqual(await bench.store.checkpoint(session.id), checkpointAt(3));
    for (const expected of [0, 2, 4])
      await rejectsWithConflict(
        bench.store.append(session.id, [record(expected)], checkpointAt(expected + 1), expected),
        session.id,
        expected,
      );
    await session.append(2);
    await session.expect(3);
  });

  check('rewrites a session that was never written as it appends to it', async (bench) => {
    const session = await bench.session();
    const refused = bench.store.rewrite(session.id, [record(2)], checkpointAt(3), 1);
    await rejectsWithConflict(refused, session.id, 1);
    assert.equal(await bench.store.checkpoint(session.id), undefined);
    await session.rewrite(['first']);
    await session.expect();
    await rejectsWithConflict(bench.store.append(session.id, [record(0)], checkpointAt(1), 0), session.id, 0);
  });

  check('refuses a rewrite that expects another version, and changes nothing', async (bench) => {
    const session = await bench.session();
    await session.append(3);
    for (const expected of [0, 2, 4]) {
      const rewrite = bench.store.rewrite(session.id, [record(77)], checkpointAt(expected + 2), expected);
      await rejectsWithConflict(rewrite, session.id, expected);
    }
    await session.expect();
    await session.rewrite(['kept']);
    // Repeated because its response was lost, or by a writer that has not seen it.
    for (const change of ['append', 'rewrite'] as const)
      for (const expected of [3, 4]) {
        const again = bench.store[change](session.id, [record(77)], checkpointAt(expected + 2), expected);
        await rejectsWithConflict(again, session.id, expected);
      }
    await rejectsWithConflict(bench.store.delete(session.id, 3), session.id, 3);
    await session.expect();
  });

  check('rewrites with all records or not at all', async (bench) => {
    const session = await bench.session();
    await session.append(3);
    const rewrite = bench.store.rewrite(session.id, [record(4), broken(5), record(6)], checkpointAt(7), 3);
    await assert.rejects(rewrite);
    await session.expect();
    await session.append(1);
    await session.expect();
  });

  check('forgets a rewritten session, and begins anew at its first version', async (bench) => {
    const session = await bench.session();
    await session.append(3);
    await session.rewrite(['kept']);
    await rejectsWithConflict(bench.store.delete(session.id, 4), session.id, 4);
    await bench.store.delete(session.id, 5);
    assert.equal(await bench.store.checkpoint(session.id), undefined);
    assert.deepEqual(await bench.store.read(session.id), { records: [] });
    const again = new SessionUnderTest(bench.store, session.id);
    await again.append(2);
    await again.expect();
  });

  check('lets either an append or a rewrite of a version win', async (bench) => {
    const [appender, rewriter] = await bench.writers(2, exclusive);
    assert.ok(appender !== undefined && rewriter !== undefined);
    for (let turn = 0; turn < 10; turn += 1) {
      const session = await bench.session();
      await session.append(2);
      const append = (): Promise<void> => appender.append(session.id, [record(2)], checkpointAt(3), 2);
      const rewrite = (): Promise<void> => rewriter.rewrite(session.id, [record(3)], checkpointAt(4), 2);
      const wins = (change: Promise<void>): Promise<boolean> =>
        change.then(
          () => true,
          (error: unknown) => {
            assertConflict(error, session.id, 2);
            return false;
          },
        );
      const changes = turn % 2 === 0 ? [append, rewrite] : [rewrite, append];
      const won = await Promise.all(changes.map((change) => wins(change())));
      assert.notEqual(won[0], won[1], 'not exactly one of them won');
      const isRewritten = won[turn % 2 === 0 ? 1 : 0] === true;
      const { start, records } = await bench.store.read(session.id);
      assert.equal((await bench.store.checkpoint(session.id))?.version, isRewritten ? 4 : 3);
      assert.deepEqual([start, records.length], isRewritten ? [3, 1] : [undefined, 3]);
    }
  });

  check('never shows a reader a part of a rewrite', async (bench) => {
    const session = await bench.session();
    const [writer] = await bench.writers(1, exclusive);
    assert.ok(writer !== undefined);
    await writer.append(session.id, [record(0), record(1)], checkpointAt(2), 0);
    const done = new AbortController();
    const watcher = (async () => {
      while (!done.signal.aborted) {
        const { start = 0, records } = await bench.store.read(session.id);
        assert.equal(records.length, 2, 'a reader saw half a rewrite');
        for (const [index, one] of records.entries()) assert.deepEqual(one, record(start + index));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const finished = (async () => {
      for (let version = 2; version < 50; version += 3) {
        const records = [record(version + 1), record(version + 2)];
        await writer.rewrite(session.id, records, checkpointAt(version + 3), version);
      }
    })();
    await finished.finally(() => done.abort());
    await watcher;
  });

  check('forgets a deleted session, and no other', async (bench) => {
    const one = await bench.session();
    const other = await bench.session();
    await one.append(5);
    await other.append(2);
    await bench.store.delete(one.id);
    assert.equal(await bench.store.checkpoint(one.id), undefined);
    assert.deepEqual(await bench.store.read(one.id), { records: [] });
    await rejectsWithConflict(bench.store.append(one.id, [record(5)], checkpointAt(6), 5), one.id, 5);
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
    assert.equal(await bench.store.checkpoint(session.id), undefined);
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
        wins(appender.append(session.id, [record(1)], checkpointAt(2), 1)),
        wins(deleter.delete(session.id, 1)),
      ]);
      assert.notEqual(isAppended, isDeleted, 'not exactly one of them won');
      const checkpoint = await bench.store.checkpoint(session.id);
      assert.equal(checkpoint?.version, isAppended ? 2 : undefined);
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
        if (index % 2 === 0) assert.equal(await bench.store.checkpoint(session.id), undefined);
        else await session.expect();
      }
    });
  }
}
