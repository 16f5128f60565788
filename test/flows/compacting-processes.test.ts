import { describe, expect, it } from 'vitest';
import { memoryLedger, type HybridSession } from '../../src/index.ts';
import { clock } from '../../src/util/clock.ts';
import { user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { compactionWorld, gpt41, type CompactionWorld } from './support/compaction-world.ts';
import { converse, historyOf } from './support/story.ts';

useVirtualTime();

interface Processes extends CompactionWorld {
  /** Two processes with one session. */
  readonly ours: HybridSession;
  readonly theirs: HybridSession;
  /** The number of requests for a compaction. */
  readonly compactions: () => number;
}

function processes(compaction: { atTokens?: number } = {}): Processes {
  const store = memoryLedger();
  const world = compactionWorld({ ledger: store, history: { compaction } });
  return {
    ...world,
    ours: world.open(),
    theirs: world.open({ ledger: elsewhere(store) }),
    compactions: () => world.simulator.log.filter(({ path }) => path.endsWith('/compact')).length,
  };
}

describe('two processes with one long session', () => {
  it('one process compacts after a turn, and the other one goes on', async () => {
    const { ours, theirs, chained, compactions, told } = processes({ atTokens: 1 });
    await Promise.all([converse(chained, ours, ['one'], gpt41), converse(chained, theirs, ['two'], gpt41)]);
    await Promise.all([ours.flush(), theirs.flush()]);
    expect(compactions()).toBe(1);
    expect(told.of('compacted')).toHaveLength(1);
    expect(told.of('warning').filter(({ code }) => code === 'compaction_failed')).toEqual([]);
    expect(await historyOf(ours)).toBe(await historyOf(theirs));
    expect(await ours.verify()).toMatchObject({ verified: true, length: 4, findings: [] });
  });

  it('a request that is too long waits for the compaction of another process, and uses it', async () => {
    const { ours, theirs, chained, simulator, compactions, contexts, during } = processes();
    await converse(chained, ours, ['one', 'two'], gpt41);
    simulator.fault('responses.create', { name: 'context_length_exceeded', times: 1 });
    const run = during(
      ({ path }) => path.endsWith('/compact'),
      () => converse(chained, theirs, ['three'], gpt41),
    );
    await ours.runCompaction({ force: true });
    await run;
    expect(compactions()).toBe(1);
    expect(contexts().at(-1)).toBe('u,u,x,u');
    expect(await historyOf(ours)).toBe('u,u,x,u,a');
  });

  it('another process compacts at once after a compaction that failed', async () => {
    const { ours, theirs, chained, simulator, compactions } = processes();
    await converse(chained, ours, ['one'], gpt41);
    simulator.fault('responses.compact', { status: 400, times: 2 });
    await expect(ours.runCompaction({ force: true })).rejects.toThrow('400');
    const before = clock.now();
    expect(await theirs.runCompaction({ force: true })).not.toBeNull();
    expect(clock.now() - before).toBeLessThan(1000);
    expect(compactions()).toBe(3);
    expect(await historyOf(ours)).toBe('u,x');
  });

  it('a process that crashed in a compaction delays the next one by two minutes at most', async () => {
    const { ours, theirs, chained, simulator } = processes();
    await converse(chained, ours, ['one'], gpt41);
    simulator.fault('responses.compact', { name: 'no_answer', times: 1 });
    void ours.runCompaction({ force: true }).catch(() => undefined);
    await theirs.addItems([user('meanwhile')]);
    const before = clock.now();
    expect(await theirs.runCompaction({ force: true })).not.toBeNull();
    expect(clock.now() - before).toBeLessThanOrEqual(145_000);
    expect(await historyOf(theirs)).toBe('u,x,u');
  });
});
