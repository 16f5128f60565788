import assert from 'node:assert/strict';
import {
  SessionUnderTest,
  listed,
  isRecent,
  assertPage,
  appendWhereverItEnds,
  rejectsWithConflict,
  assertConflict,
  codeOf,
  within,
  record,
  checkpointAt,
  UNUSUAL_IDS,
} from './store-bench.ts';
import type { AddCheck } from './add-check.ts';
import type { LedgerStoreSubject } from './ledger-store-subject.ts';

/** Checks of lists, of writers at the same time, and of stores that are opened again. */
export function sharingChecks(check: AddCheck, subject: LedgerStoreSubject): void {
  const { durable = true, anySessionId = true, exclusive = durable } = subject;
  check('lists each session once with its newest checkpoint, if it lists sessions', async (bench) => {
    if (bench.store.sessions === undefined) return;
    assert.deepEqual(await listed(bench.store), []);
    const sessions = await bench.sessions(450);
    const [appended, rewritten, deleted] = sessions;
    assert.ok(appended !== undefined && rewritten !== undefined && deleted !== undefined);
    await appended.append(2);
    await rewritten.rewrite(['kept']);
    await bench.store.delete(deleted.id);
    const alias = { ...checkpointAt(1), alias: appended.id };
    await bench.store.append(await bench.sessionId(), [record(0)], alias, 0);
    const mirrored = { ...checkpointAt(1), conversation: 'conv_1' };
    await bench.store.append(deleted.id, [record(0)], mirrored, 0);
    const expected = new Map(sessions.map(({ id, records }) => [id, checkpointAt(records.length)]));
    expected.set(deleted.id, mirrored);
    const summaries = await listed(bench.store);
    assert.equal(summaries.length, sessions.length);
    for (const { sessionId, updated, ...checkpoint } of summaries) {
      assert.deepEqual(checkpoint, expected.get(sessionId), `it does not list ${sessionId} as it is`);
      assert.ok(updated === undefined || isRecent(updated), `${updated} is not in milliseconds`);
      expected.delete(sessionId);
    }
  });

  check('lists what stays while sessions come and go, and none twice', async (bench) => {
    if (bench.store.sessions === undefined) return;
    const sessions = await bench.sessions(450);
    const seen = new Map<string, number>();
    let step = 0;
    for await (const { sessionId } of bench.store.sessions()) {
      seen.set(sessionId, (seen.get(sessionId) ?? 0) + 1);
      step += 1;
      if (step > 300 || step % 10 !== 0) continue;
      // The one that was given just now leaves and comes back, another one leaves, and a new one comes.
      const again = new SessionUnderTest(bench.store, sessionId);
      await bench.store.delete(sessionId);
      await again.append(1);
      const left = sessions.pop();
      assert.ok(left !== undefined);
      await bench.store.delete(left.id);
      await (await bench.session()).append(1);
    }
    for (const [sessionId, times] of seen) assert.equal(times, 1, `it lists ${sessionId} ${times} times`);
    for (const { id } of sessions) assert.ok(seen.has(id), `it does not list ${id}`);
  });

  if (anySessionId)
    check('lists the sessions whose ID begins with a prefix, whatever both are', async (bench) => {
      if (bench.store.sessions === undefined) return;
      for (const id of UNUSUAL_IDS) await new SessionUnderTest(bench.store, id).append(1);
      const idsOf = async (prefix?: string): Promise<string[]> =>
        (await listed(bench.store, { prefix })).map(({ sessionId }) => sessionId).toSorted();
      const all = await idsOf();
      // A store may keep the hash of a long or strange ID alone.
      for (const id of UNUSUAL_IDS)
        assert.ok(all.includes(id) || !/^[\w ./'"`{}%*?$:-]{1,30}$/.test(id), `it does not list ${id}`);
      for (const id of all) assert.ok(UNUSUAL_IDS.includes(id), `it lists ${id}`);
      const prefixes = UNUSUAL_IDS.flatMap((id) => [id, String.fromCodePoint(id.codePointAt(0) ?? 0)]);
      for (const prefix of ['', 'conv', '[a-z]', '\\', 'con?', 'unknown', ...prefixes])
        assert.deepEqual(
          await idsOf(prefix),
          all.filter((id) => id.startsWith(prefix)),
          `prefix ${prefix}`,
        );
    });

  check('lets exactly one of the appenders of a version win', async (bench) => {
    const { id } = await bench.session();
    const writers = await bench.writers(8, exclusive);
    for (const version of [0, 1, 2]) {
      const outcomes = await Promise.allSettled(
        writers.map(async (store, writer) =>
          store.append(id, [record(version, `writer ${writer}`)], checkpointAt(version + 1), version),
        ),
      );
      const winners = outcomes.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writer] : []));
      assert.equal(winners.length, 1, `${winners.length} appenders won version ${version}`);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assertConflict(outcome.reason, id, version);
      assertPage(
        await bench.store.read(id, version),
        [...Array.from({ length: version }, () => record(0)), record(version, `writer ${winners[0]}`)],
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
        const { records } = await bench.store.read(id);
        assert.equal(records.length % 3, 0, 'a reader saw half an append');
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
    assertPage(await bench.store.read(id), order, 0);
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
      await rejectsWithConflict(
        bench.store.append(session.id, [record(2)], checkpointAt(3), 2),
        session.id,
        2,
      );
      assertPage(await bench.store.read(session.id), there.records, 0);
      await other.delete(session.id);
      assert.equal(await bench.store.checkpoint(session.id), undefined);
    });
  }

  check('fails with words when it is used after it was closed', async (bench) => {
    const session = await bench.session();
    await session.append(1);
    if (!(await bench.close())) return;
    const uses: (() => Promise<unknown>)[] = [
      () => bench.store.checkpoint(session.id),
      () => bench.store.read(session.id),
      () => bench.store.append(session.id, [record(1)], checkpointAt(2), 1),
      () => bench.store.rewrite(session.id, [record(2)], checkpointAt(3), 1),
      () => bench.store.delete(session.id),
    ];
    if (bench.store.sessions !== undefined) uses.push(() => listed(bench.store));
    for (const use of uses) {
      await assert.rejects(within(10_000, use), (error) => {
        assert.ok(error instanceof Error && error.message !== '', 'it failed without a message');
        assert.notEqual(codeOf(error), 'ledger_conflict');
        return true;
      });
    }
  });
}
