import assert from 'node:assert/strict';
import {
  assertPage,
  rejectsWithConflict,
  record,
  broken,
  checkpointAt,
  UNUSUAL_TEXTS,
} from './store-bench.ts';
import type { AddCheck } from './add-check.ts';

/** Checks of reads and appends. */
export function appendChecks(check: AddCheck): void {
  check('knows nothing of a session that was never written', async (bench) => {
    const id = await bench.sessionId();
    assert.equal(await bench.store.checkpoint(id), undefined);
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
      const { records } = await bench.store.read(session.id, from, to);
      assert.deepEqual(records, session.records.slice(from, to));
    }
  });

  check('replaces the checkpoint alone when there are no records', async (bench) => {
    const session = await bench.session();
    await session.append(2);
    const checkpoint = { ...checkpointAt(2), length: 1 };
    await bench.store.append(session.id, [], checkpoint, 2);
    assert.deepEqual(await bench.store.checkpoint(session.id), checkpoint);
    await rejectsWithConflict(bench.store.append(session.id, [record(2)], checkpointAt(2), 1), session.id, 1);
  });

  check('refuses an append that expects another version, and changes nothing', async (bench) => {
    const session = await bench.session();
    await rejectsWithConflict(bench.store.append(session.id, [record(1)], checkpointAt(2), 1), session.id, 1);
    assert.equal(await bench.store.checkpoint(session.id), undefined);
    await session.append(3);
    for (const expected of [0, 2, 4]) {
      const append = bench.store.append(session.id, [record(77)], checkpointAt(expected + 1), expected);
      await rejectsWithConflict(append, session.id, expected);
    }
    await session.expect();
  });

  check('appends all records or none', async (bench) => {
    const session = await bench.session();
    await session.append(2);
    const append = bench.store.append(session.id, [record(2), broken(3), record(4)], checkpointAt(5), 2);
    await assert.rejects(append);
    await session.expect();
    await session.append(3);
    await session.expect();
  });

  check('is not touched by what happens to objects given to it or taken from it', async (bench) => {
    const session = await bench.session();
    const given = record(0);
    const checkpoint = checkpointAt(1);
    await bench.store.append(session.id, [given], checkpoint, 0);
    Object.assign(given, { time: -1 });
    Object.assign(checkpoint, { length: -1 });
    for (const taken of [
      await bench.store.checkpoint(session.id),
      ...(await bench.store.read(session.id)).records,
    ])
      Object.assign(taken ?? {}, { length: -2, time: -2 });
    assert.deepEqual(await bench.store.checkpoint(session.id), checkpointAt(1));
    assertPage(await bench.store.read(session.id), [record(0)], 0);
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

  check('keeps 10,000 records, and a checkpoint that does not grow with them', async (bench) => {
    const session = await bench.session();
    await session.append(1);
    const small = JSON.stringify(await bench.store.checkpoint(session.id)).length;
    for (let batch = 0; batch < 20; batch += 1) await session.append(500);
    await session.expect();
    await session.expect(9_990);
    const large = JSON.stringify(await bench.store.checkpoint(session.id)).length;
    assert.ok(large <= small + 20, `the checkpoint grew from ${small} to ${large} characters`);
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
}
