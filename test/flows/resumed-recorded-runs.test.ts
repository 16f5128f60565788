import { RunState, tool, type Agent, type AgentInputItem } from '@openai/agents';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type * as library from '../../src/index.ts';
import { deferred } from '../support/deferred.ts';
import { recordedWorld, told, type RecordedWorld } from './support/recorded-runs.ts';

const parameters = z.object({});
const wait = tool({
  name: 'wait',
  description: 'Waits',
  parameters,
  needsApproval: true,
  execute: () => 'waited',
});

type State = RunState<undefined, Agent>;

/** Runs an agent to its end, streamed or not. */
async function ended(
  { runner, session, agent: usual }: RecordedWorld,
  input: string | AgentInputItem[] | State,
  {
    stream,
    agent = usual,
    maxTurns = 10,
  }: { readonly stream: boolean; readonly agent?: Agent; readonly maxTurns?: number },
): Promise<{ readonly state: State; readonly finalOutput?: unknown }> {
  if (!stream) return runner.run(agent, input, { session, maxTurns });
  const streamed = await runner.run(agent, input, { session, maxTurns, stream: true });
  await streamed.completed;
  return streamed;
}

/** The state that the error of a run has. */
async function failedState(run: Promise<unknown>): Promise<State> {
  const error: unknown = await run.catch((thrown: unknown) => thrown);
  const state: unknown =
    typeof error === 'object' && error !== null && 'state' in error ? error.state : undefined;
  if (!(state instanceof RunState)) throw new Error('the error has no state', { cause: error });
  return state;
}

/** The same world in another process. */
function elsewhere(world: RecordedWorld): RecordedWorld {
  return { ...world, session: world.reopen() };
}

describe.each([false, true])('streamed: %s', (stream) => {
  it('the state of a run with too many turns goes on elsewhere, doubles nothing and keeps the question', async () => {
    const world = recordedWorld();
    await ended(world, 'hi', { stream });
    const failed = await failedState(ended(world, 'find again', { stream, maxTurns: 2 }));
    const other = elsewhere(world);
    await expect(ended(other, failed, { stream, maxTurns: 3 })).rejects.toThrow(/max turns/i);
    const once = ['call find', 'find: found'];
    expect(told(await world.session.getItems()).slice(2)).toEqual([
      'user: find again',
      ...once,
      ...once,
      ...once,
    ]);
    expect((await other.state()).drafts).toMatchObject({
      open: [],
      interrupted: [{ reason: 'max_turns' }, {}],
    });
    await expect(ended(other, failed, { stream, maxTurns: 4 })).rejects.toThrow(/max turns/i);
    const left = told(await world.session.getItems()).slice(2);
    expect(left).toEqual(['user: find again', ...once, ...once, ...once, ...once]);
    await world.session.flush();
    expect(await world.session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('a result of a tool that works when its run is resumed replaces the one that said that the run was interrupted', async () => {
    const world = recordedWorld();
    await ended(world, 'hi', { stream });
    const failed = await failedState(ended(world, 'find and break', { stream }));
    expect(told(await world.session.getItems()).at(-1)).toMatch(/^break: The run was interrupted/);
    world.isBroken = false;
    const other = elsewhere(world);
    const again = await RunState.fromString<undefined, Agent>(world.agent, failed.toString());
    await ended(other, again, { stream });
    const items = told(await other.session.getItems());
    expect(items.slice(2, 5)).toEqual(['user: find and break', 'call find', 'call break']);
    expect(items.slice(5).toSorted()).toEqual([
      'assistant: answer to find and break',
      'break: mended',
      'find: found',
    ]);
    expect((await other.state()).drafts).toEqual({ open: [], interrupted: [] });
    await other.session.flush();
    expect(await other.session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('a run that is resumed until it ends well leaves each item once', async () => {
    const world = recordedWorld();
    const failed = await failedState(ended(world, 'find twice', { stream, maxTurns: 1 }));
    await failedState(ended(world, failed, { stream, maxTurns: 2 }));
    const { finalOutput } = await ended(elsewhere(world), failed, { stream });
    expect(finalOutput).toBe('answer to find twice');
    const once = ['call find', 'find: found'];
    expect(told(await world.reopen().getItems())).toEqual([
      'user: find twice',
      ...once,
      ...once,
      'assistant: answer to find twice',
    ]);
    expect((await world.state()).drafts).toEqual({ open: [], interrupted: [] });
  });

  it('a state that is resumed after another turn adds its answer and no second result', async () => {
    const world = recordedWorld();
    await ended(world, 'hi', { stream });
    const failed = await failedState(ended(world, 'break', { stream }));
    await ended(world, 'never mind', { stream });
    world.isBroken = false;
    const again = await RunState.fromString<undefined, Agent>(world.agent, failed.toString());
    await ended(elsewhere(world), again, { stream });
    expect(told(await world.session.getItems()).slice(2)).toEqual([
      'user: break',
      'call break',
      'break: The run was interrupted before this tool returned a result.',
      'user: never mind',
      'assistant: answer to never mind',
      'assistant: answer to break',
    ]);
  });

  it('a stored approval that two processes resume, of which one dies, leaves one result', async () => {
    const world = recordedWorld();
    const agent = world.agent.clone({ tools: [...world.tools, wait] });
    const { state } = await ended(world, 'wait', { stream, agent });
    const text = state.toString();
    const resumed = async (): Promise<State> => {
      const stored = await RunState.fromString<undefined, Agent>(agent, text);
      for (const interruption of stored.getInterruptions()) stored.approve(interruption);
      return stored;
    };
    const done = await ended(elsewhere(world), await resumed(), { stream, agent });
    expect(done.finalOutput).toBe('answer to wait');
    expect(told(await world.session.getItems())).toEqual([
      'user: wait',
      'call wait',
      'wait: waited',
      'assistant: answer to wait',
    ]);
    expect((await world.state()).drafts).toEqual({ open: [], interrupted: [] });
  });
});

it('an answer that comes after another process has settled its run adds only what is missing', async () => {
  const world = recordedWorld();
  await ended(world, 'hi', { stream: false });
  const asked = deferred<undefined>();
  const answered = deferred<undefined>();
  const slow = tool({
    name: 'wait',
    description: 'Waits',
    parameters,
    execute: async () => {
      asked.resolve(undefined);
      await answered.promise;
      return 'waited';
    },
  });
  const agent = world.agent.clone({ tools: [...world.tools, slow] });
  const late = ended(world, 'find and wait', { stream: false, agent });
  await asked.promise;
  await settledElsewhere(world);
  answered.resolve(undefined);
  await late;
  expect(told(await world.reopen().getItems()).slice(2)).toEqual([
    'user: find and wait',
    'call find',
    'call wait',
    'find: found',
    'wait: The run was interrupted before this tool returned a result.',
    'user: and now?',
    'assistant: answer to and now?',
    'assistant: answer to find and wait',
  ]);
});

it.each([
  { way: 'ends well', expected: ['wait: waited', 'assistant: answer to find and wait'], state: 'complete' },
  {
    way: 'throws',
    expected: ['wait: The run was interrupted before this tool returned a result.'],
    state: 'interrupted',
  },
])(
  'a run that another process has settled by a read and that $way leaves what it would have left',
  async ({ way, expected, state }) => {
    const world = recordedWorld();
    await ended(world, 'hi', { stream: false });
    const asked = deferred<undefined>();
    const answered = deferred<undefined>();
    const slow = tool({
      name: 'wait',
      description: 'Waits',
      parameters,
      errorFunction: null,
      execute: async () => {
        asked.resolve(undefined);
        await answered.promise;
        if (way === 'throws') throw new Error('broken');
        return 'waited';
      },
    });
    const agent = world.agent.clone({ tools: [...world.tools, slow] });
    const run = ended(world, 'find and wait', { stream: false, agent }).catch(() => undefined);
    await asked.promise;
    expect(await readElsewhere(world)).toHaveLength(7);
    answered.resolve(undefined);
    await run;
    expect(told(await world.reopen().getItems()).slice(2)).toEqual([
      'user: find and wait',
      'call find',
      'call wait',
      'find: found',
      ...expected,
    ]);
    expect(await world.reopen().turns({ limit: 1 })).toMatchObject([{ state }]);
  },
);

/** The modules of a process that does not know the runs of this one: another copy of the package. */
function otherProcess(): Promise<typeof library> {
  vi.resetModules();
  return import('../../src/index.ts');
}

/** The items that a process reads which does not know the runs of this one. */
async function readElsewhere({ client, store }: RecordedWorld): Promise<AgentInputItem[]> {
  const { HybridSession } = await otherProcess();
  return new HybridSession({ client, sessionId: 'recorded', ledger: store }).getItems();
}

/** A turn in a process that does not know the runs of this one. */
async function settledElsewhere({ client, store, agent }: RecordedWorld): Promise<void> {
  const { HybridRunner, HybridSession } = await otherProcess();
  const session = new HybridSession({ client, sessionId: 'recorded', ledger: store });
  await new HybridRunner({ tracingDisabled: true }).run(agent, 'and now?', { session });
}
