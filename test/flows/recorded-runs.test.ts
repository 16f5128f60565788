import { OpenAIProvider, tool, type Agent, type ModelProvider } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HybridSession, type LedgerStore, type Mode } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { restorableStore } from '../support/restorable-store.ts';
import { historyOf } from './support/story.ts';
import { recordedWorld, told, type RecordedWorld } from './support/recorded-runs.ts';

const INTERRUPTED = 'The run was interrupted before this tool returned a result.';

const guardrail = { name: 'guardrail', execute: async () => ({ tripwireTriggered: true, outputInfo: {} }) };

interface Ending {
  readonly run: (world: RecordedWorld, stream: boolean) => Promise<unknown>;
  readonly left: readonly string[];
  readonly reason: string | undefined;
  /** The number of these items that the SDK's runner saves by default: not streamed, streamed. */
  readonly saved: readonly [number, number];
}

/** Runs an agent to its end, streamed or not. */
async function ended(
  { runner, session, agent: usual }: RecordedWorld,
  input: string,
  {
    stream,
    agent = usual,
    ...options
  }: { stream: boolean; agent?: Agent; maxTurns?: number; signal?: AbortSignal },
): Promise<unknown> {
  if (!stream) return runner.run(agent, input, { session, ...options });
  const streamed = await runner.run(agent, input, { session, ...options, stream: true });
  await streamed.completed;
  return streamed;
}

const ENDINGS: Readonly<Record<string, Ending>> = {
  'too many turns': {
    run: (world, stream) => ended(world, 'find again', { stream, maxTurns: 2 }),
    left: ['user: find again', 'call find', 'find: found', 'call find', 'find: found'],
    reason: 'max_turns',
    saved: [0, 1],
  },
  'a thrown tool': {
    run: (world, stream) => ended(world, 'break', { stream }),
    left: ['user: break', 'call break', `break: ${INTERRUPTED}`],
    reason: 'tool',
    saved: [0, 1],
  },
  'a thrown tool beside one that worked': {
    run: (world, stream) => ended(world, 'find and break', { stream }),
    left: ['user: find and break', 'call find', 'call break', 'find: found', `break: ${INTERRUPTED}`],
    reason: 'tool',
    saved: [0, 1],
  },
  'an input guardrail': {
    run: (world, stream) =>
      ended(world, 'forbidden', { stream, agent: world.agent.clone({ inputGuardrails: [guardrail] }) }),
    left: [],
    reason: undefined,
    saved: [0, 0],
  },
  'an output guardrail': {
    run: (world, stream) =>
      ended(world, 'find', { stream, agent: world.agent.clone({ outputGuardrails: [guardrail] }) }),
    left: ['user: find', 'call find', 'find: found'],
    reason: 'guardrail',
    saved: [3, 3],
  },
  'a server that fails': {
    run: (world, stream) => {
      const mend = world.simulator.fault('responses.create', { status: 500, times: 9, skip: 1 });
      return ended(world, 'find', { stream }).finally(mend);
    },
    left: ['user: find', 'call find', 'find: found'],
    reason: 'model',
    saved: [0, 1],
  },
  'a server that fails at once': {
    run: (world, stream) => {
      const mend = world.simulator.fault('responses.create', { status: 500, times: 9 });
      return ended(world, 'find', { stream }).finally(mend);
    },
    left: ['user: find'],
    reason: 'model',
    saved: [0, 1],
  },
  'an abort during a tool': {
    run: (world, stream) => {
      const controller = new AbortController();
      const wait = tool({
        name: 'wait',
        description: 'Waits',
        parameters: z.object({}),
        execute: () => {
          controller.abort();
          return 'waited';
        },
      });
      const agent = world.agent.clone({ tools: [...world.tools, wait] });
      return ended(world, 'wait', { stream, agent, signal: controller.signal });
    },
    left: ['user: wait', 'call wait', 'wait: waited'],
    reason: 'aborted',
    saved: [3, 1],
  },
};

const CASES = Object.keys(ENDINGS).flatMap((name) => [false, true].map((stream) => ({ name, stream })));

describe('interrupted runs', () => {
  it.each(CASES)(
    'a recorded run that ends with $name leaves what happened (streamed: $stream)',
    async ({ name, stream }) => {
      const { run, left, reason } = ENDINGS[name] ?? {};
      const world = recordedWorld();
      const { session, runner, agent } = world;
      await runner.run(agent, 'hi', { session });
      await run?.(world, stream).catch(() => undefined);
      expect(told(await session.getItems()).slice(2)).toEqual(left);
      const { drafts, entries } = await world.state();
      expect(drafts.open).toEqual([]);
      expect(drafts.interrupted.map(({ reason: why, from, until }) => [why, from, until])).toEqual(
        reason === undefined ? [] : [[reason, 2, entries.length]],
      );
      const next = await runner.run(agent, 'and now?', { session });
      expect(next.finalOutput).toBe('answer to and now?');
      await session.flush();
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    },
  );

  it.each(CASES)(
    'a run that ends with $name leaves by default what the runner saves (streamed: $stream)',
    async ({ name, stream }) => {
      const { run, left = [], saved = [0, 0] } = ENDINGS[name] ?? {};
      const world = recordedWorld({});
      const { session, runner, agent } = world;
      await runner.run(agent, 'hi', { session });
      await run?.(world, stream).catch(() => undefined);
      expect(told(await session.getItems()).slice(2)).toEqual(left.slice(0, saved[Number(stream)]));
    },
  );

  it('an interrupted run has the last of two answers in one stream, as the runner does', async () => {
    const modelProvider: ModelProvider = {
      getModel: async (name) => {
        const model = await new OpenAIProvider({ openAIClient: world.client }).getModel(name);
        const ask = model.getStreamedResponse.bind(model);
        model.getStreamedResponse = async function* twice(request) {
          for await (const event of ask(request)) {
            if (event.type === 'response_done') yield event;
            yield event;
          }
        };
        return model;
      },
    };
    const world = recordedWorld({ record: 'as-it-goes', modelProvider });
    await ended(world, 'find again', { stream: true, maxTurns: 2 }).catch(() => undefined);
    const left = ['user: find again', 'call find', 'find: found', 'call find', 'find: found'];
    expect(told(await world.session.getItems())).toEqual(left);
  });
});

/** A session of two turns, as a process leaves it that is killed in a tool of the second one. */
async function killed(): Promise<{ readonly session: HybridSession; readonly ledger: LedgerStore }> {
  const place = restorableStore();
  const world = recordedWorld({ record: 'as-it-goes' }, { ledger: place.store, mirror: 'off' });
  const { runner, session } = world;
  await runner.run(world.agent, 'hi', { session });
  let left: Awaited<ReturnType<typeof place.backup>> | undefined;
  const find = tool({
    name: 'find',
    description: 'Finds',
    parameters: z.object({}),
    execute: async () => {
      left = await place.backup('recorded');
      return 'found';
    },
  });
  await runner.run(world.agent.clone({ tools: [find] }), 'find', { session });
  if (left !== undefined) await place.restore(left);
  const ledger = { ...place.store };
  return { session: new HybridSession({ sessionId: 'recorded', ledger, mirror: 'off' }), ledger };
}

const KILLED = ['user: hi', 'assistant: answer to hi', 'user: find', 'call find', `find: ${INTERRUPTED}`];

it('undo() takes back the turn of a process that was killed, and no other one', async () => {
  const { session } = await killed();
  expect(await session.undo()).toMatchObject([{ state: 'interrupted', reason: 'abandoned' }]);
  expect(told(await session.getItems())).toEqual(KILLED.slice(0, 2));
});

it.each(['off', 'shadow'] as const)(
  'the turn of a process that was killed stays before later ones in mode %s',
  async (mode) => {
    const { client } = recordedWorld();
    const { ledger } = await killed();
    const open = (rollout: Mode): HybridSession =>
      new HybridSession({ client, sessionId: 'recorded', ledger, rollout });
    expect(await historyOf(open(mode))).toBe('u,a,u,c,r');
    await open(mode).addItems([user('and now?')]);
    expect(await historyOf(open(mode))).toBe('u,a,u,c,r,u');
    expect(told(await open('chain').getItems())).toEqual([...KILLED, 'user: and now?']);
    expect(await open('chain').verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  },
);

it('popItem() removes the newest item of a process that was killed, and no earlier one', async () => {
  const { session } = await killed();
  expect(await session.popItem()).toMatchObject({ type: 'function_call_result' });
  expect(told(await session.getItems())).toEqual(KILLED.slice(0, 4));
});

it('a fork has the turn of a process that was killed', async () => {
  const { session } = await killed();
  expect(told(await (await session.fork()).getItems())).toEqual(KILLED);
  expect(told(await session.getItems())).toEqual(KILLED);
});
