import { Agent, RunState, tool } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { outline } from '../../mocks/wire/outline.ts';
import { HybridRunner, type HistoryOptions, type HybridSession } from '../../src/index.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import {
  compactedByServer,
  compactionWorld,
  LONG,
  type CompactionWorld,
} from './support/compaction-world.ts';
import { historyOf } from './support/story.ts';

useVirtualTime();

const parameters = z.object({ to: z.string() });

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters,
  needsApproval: true,
  execute: ({ to }) => `paid ${to}`,
});

const look = tool({ name: 'look', description: 'Looks', parameters, execute: ({ to }) => `saw ${to}` });

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [pay, look] });

const ASK = 'call look {"to":"Ann"} call pay {"to":"Ann"}';

interface Asked extends CompactionWorld {
  readonly session: HybridSession;
  /** The run that waits, with its approval, as another process reads it. */
  readonly state: RunState<unknown, typeof agent>;
}

/** Runs that wait for an approval while the user goes on. */
async function asked(history: HistoryOptions, later: readonly string[], way = RUNNERS.whole): Promise<Asked> {
  const world = compactionWorld({ history });
  const session = world.open();
  await way.run(agent, 'one', { session });
  const { state: waiting } = await way.run(agent, ASK, { session });
  for (const text of later) await way.run(agent, text, { session });
  const state = await RunState.fromString(agent, waiting.toString());
  for (const interruption of state.getInterruptions()) state.approve(interruption);
  return { ...world, session, state };
}

const RUNNERS = {
  whole: new HybridRunner({ tracingDisabled: true }),
  reference: new HybridRunner({ tracingDisabled: true, history: 'reference' }),
};

async function transcriptOf(session: HybridSession): Promise<string> {
  const { items } = await session.transcript();
  return outline(items.map(({ item }) => item));
}

describe.each(Object.entries(RUNNERS))('an approval that was not given (history: %s)', (_name, runner) => {
  it('a call without a result does not keep the later turns from a compaction', async () => {
    const { session, simulator, contexts, told } = await asked({ compaction: {} }, ['three'], runner);
    simulator.fault('responses.create', { name: 'context_length_exceeded', times: 1 });
    await runner.run(agent, 'four', { session });
    await runner.run(agent, 'five', { session });
    expect(contexts().slice(-2)).toEqual(['u,u,u,x,u', 'u,u,u,x,u,a,u']);
    expect(told.of('compaction_failed')).toEqual([]);
    expect(await transcriptOf(session)).toBe('u,a,u,c,c,r,u,a,u,a,u,a');
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
  });

  it('the turns behind a call without a result are saved once when the server compacts', async () => {
    const { session, contexts, told } = await asked({}, ['three'], runner);
    const { modelSettings } = compactedByServer.agent;
    await runner.run(agent.clone({ modelSettings }), LONG, { session });
    await runner.run(agent, 'five', { session });
    expect(await transcriptOf(session)).toBe('u,a,u,c,c,r,u,a,u,x,a,u,a');
    expect(contexts().at(-1)).toBe('x,a,u');
    expect(told.of('input_unsaved')).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
  });

  it.each<[string, HistoryOptions, (session: HybridSession) => Promise<unknown>, string]>([
    ['a compaction', {}, (session) => session.runCompaction({ force: true }), 'u,u,u,x,a,u'],
    ['a window', { window: { turns: 1 } }, async () => undefined, 'u,a,a,u'],
  ])(
    'a result that comes behind %s of its call is kept, and no request holds it',
    async (_way, history, work, context) => {
      const { session, open, state, contexts } = await asked(history, ['three'], runner);
      await work(session);
      await runner.run(agent, state, { session: open() });
      await runner.run(agent, 'five', { session });
      expect(contexts().at(-2)).toBe('u,a,u,c,c,r,r');
      expect(contexts().at(-1)).toBe(context);
      expect(await transcriptOf(session)).toBe('u,a,u,c,c,r,u,a,r,a,u,a');
      expect(await historyOf(session)).toMatch(/u,a$/);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    },
  );
});

it("a result that comes behind a window of its call reaches no request of the SDK's runner", async () => {
  const { open, stock, contexts } = compactionWorld({ history: { window: { turns: 1 } } });
  const session = open();
  const { state: waiting } = await stock.run(agent, ASK, { session });
  await stock.run(agent, 'two', { session });
  const state = await RunState.fromString(agent, waiting.toString());
  for (const interruption of state.getInterruptions()) state.approve(interruption);
  await stock.run(agent, state, { session: open() });
  await stock.run(agent, 'three', { session });
  expect(contexts().at(-1)).toBe('u,a,a,u');
  expect(await transcriptOf(session)).toBe('u,c,c,r,u,a,r,a,u,a');
});
