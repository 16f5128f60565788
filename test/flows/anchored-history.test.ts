import { Agent, handoff, RunState, tool, type AgentInputItem, type Session } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { anchorItem } from '../../src/model/anchor.ts';
import { WAYS } from '../runner/both-worlds.ts';
import {
  chainedWorld,
  decisionsOf,
  requestsIn,
  turn,
  type AnyAgent,
  type ChainedWorld,
} from '../runner/flow-world.ts';
import { assistant, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { converse, requestsOf } from './support/story.ts';

const runner = { history: 'anchored' } as const;

const look = tool({
  name: 'look',
  description: 'Looks',
  parameters: z.object({}),
  execute: () => 'seen',
});

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({}),
  needsApproval: true,
  execute: () => 'paid',
});

const agent: AnyAgent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [look, pay] });

/** How many items the model saw when it answered. */
const seen = (answer: unknown): number => Number(/I see (\d+) item/.exec(String(answer))?.[1]);

/** Why the history was handed over whole, turn by turn. */
function unanchored({ events }: ChainedWorld): string[] {
  return events.flatMap((event) => (event.type === 'unanchored' ? [event.reason] : []));
}

/** A store that notes what it is asked. */
function watchedStore(): { readonly store: LedgerStore; readonly asked: string[] } {
  const inner = memoryLedger();
  const asked: string[] = [];
  const note = (call: string): void => void asked.push(call);
  const store: LedgerStore = {
    head: (id) => (note('head'), inner.head(id)),
    read: (id, from, to) => (note('read'), inner.read(id, from, to)),
    append: (id, records, head, expected) => (note('append'), inner.append(id, records, head, expected)),
    delete: (id) => (note('delete'), inner.delete(id)),
  };
  return { store, asked };
}

describe.each(WAYS)('%s', (_way, stream) => {
  test('a turn asks, sends and keeps in hand the same however long the history is', async () => {
    const world = chainedWorld(stream, { runner, session: { mirror: 'off', sessionId: 'one' } });
    const bytes: number[] = [];
    for (let at = 0; at < 60; at += 1) {
      const requests = await requestsOf(world.simulator, () => turn(world, agent, `turn ${at + 10}`));
      expect(requests).toEqual(['responses.create']);
      bytes.push(JSON.stringify(requestsIn(world).at(-1)?.body).length);
    }
    // The first turn has nothing to continue from.
    expect(unanchored(world)).toEqual(['no-parent']);
    expect(new Set(bytes.slice(1)).size).toBe(1);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/119');
    expect(await world.session.getItems()).toHaveLength(120);
    expect(await world.session.verify()).toMatchObject({ verified: true, length: 120 });
  });

  test('a new process reads the head of the ledger before it asks the model, and no more', async () => {
    const { client, simulator } = simulated();
    const { store, asked } = watchedStore();
    const first = new HybridSession({ client, ledger: store });
    const ours = new HybridRunner({ tracingDisabled: true, history: 'anchored' });
    for (let at = 0; at < 20; at += 1) await converse(ours, first, [`turn ${at}`], { agent, stream });
    const conversationId = await first.getSessionId();

    const session = new HybridSession({ client, ledger: store, conversationId });
    const atModel: string[][] = [];
    const watching = new Agent({
      name: 'Assistant',
      model: 'gpt-4.1',
      instructions: () => {
        atModel.push([...asked]);
        return 'Answer';
      },
    });
    asked.length = 0;
    const requests = await requestsOf(simulator, async () => {
      const [answer] = await converse(ours, session, ['and now?'], { agent: watching, stream });
      expect(seen(answer)).toBe(41);
    });
    expect([...new Set(atModel.flat())]).toEqual(['head']);
    // An older SDK writes what a streamed run was asked before it asks the model.
    expect(new Set(requests)).toEqual(new Set(['responses.create', 'conversations.items.create']));
    expect(requests.filter((one) => one === 'responses.create')).toHaveLength(1);
    // Nor does it read the history to write what is new.
    expect(asked.filter((one) => one === 'read').length).toBeLessThanOrEqual(1);
    expect(await session.getItems()).toHaveLength(42);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  test('what a run leaves behind holds no anchor', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const result = await turn(world, agent, 'call look {}');
    for (const left of [result.history, result.input, result.state.toString(), result.state.history])
      expect(JSON.stringify(left)).not.toContain('anchor');
    // As with the SDK's own `previousResponseId`: what this run was given, and what it added.
    expect(result.history.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_result',
      'message',
    ]);
    expect(await world.session.getItems()).toHaveLength(8);
  });

  test('an interrupted run can be resumed by any runner, in any process', async () => {
    for (const resume of ['ours', 'the runner of the SDK', 'ours without anchors'] as const) {
      const world = chainedWorld(stream, { runner });
      for (const text of ['one', 'two']) await turn(world, agent, text);
      const interrupted = await turn(world, agent, 'call pay {}');
      expect(interrupted.interruptions).toHaveLength(1);
      const text = interrupted.state.toString();
      expect(text).not.toContain('hybrid_session.anchor');
      world.reopen();
      const state = await RunState.fromString(agent, text);
      for (const one of state.getInterruptions()) state.approve(one);
      const resumed = await {
        ours: () => turn(world, agent, state),
        'the runner of the SDK': () =>
          simulatedRunner(world.client).run(agent, state, { session: world.session }),
        'ours without anchors': () =>
          new HybridRunner({ tracingDisabled: true }).run(agent, state, { session: world.session }),
      }[resume]();
      expect(seen(resumed.finalOutput)).toBe(7);
      expect(await world.session.getItems()).toHaveLength(8);
      expect(seen((await turn(world, agent, 'and now?')).finalOutput)).toBe(9);
    }
  });

  test('a run that fails leaves a state that can be resumed', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const failed = await turn(world, agent, 'call look {}', { maxTurns: 1 }).catch((error: unknown) => error);
    const state: unknown = failed instanceof Error ? Reflect.get(failed, 'state') : undefined;
    if (!(state instanceof RunState)) throw new Error('There is no state');
    expect(state.history.length).toBe(7);
    expect(JSON.stringify(state.history)).not.toContain('hybrid_session.anchor');
  });

  test('the history is sent whole, once, when the server will not continue', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const { responses } = world.simulator.snapshot();
    await world.client.responses.delete(responses.at(-1)?.id ?? '');
    expect(seen((await turn(world, agent, 'three')).finalOutput)).toBe(5);
    expect(decisionsOf(world).slice(-2)).toEqual(['extends 1/5', 'parent-refused 5/5']);
    expect(seen((await turn(world, agent, 'four')).finalOutput)).toBe(7);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/7');
  });

  test('two runs at once both go on from where they began', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const both = await Promise.all([
      turn(world, agent, 'left call look {}'),
      turn(world, agent, 'right call look {}'),
    ]);
    for (const { finalOutput } of both) expect(seen(finalOutput)).toBe(7);
    expect(await world.session.getItems()).toHaveLength(12);
    // The model saw either turn, but not both: that is no history that it could go on from.
    expect(seen((await turn(world, agent, 'and now?')).finalOutput)).toBe(13);
    expect(unanchored(world)).toEqual(['no-parent', 'diverged']);
  });

  test('what was changed since the newest answer is seen', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    await world.session.addItems([user('by the way'), assistant('I see')]);
    expect(seen((await turn(world, agent, 'three')).finalOutput)).toBe(7);
    await world.session.popItem();
    expect(seen((await turn(world, agent, 'four')).finalOutput)).toBe(8);
    expect(seen((await turn(world, agent, 'five')).finalOutput)).toBe(10);
    expect(unanchored(world)).toEqual(['no-parent', 'diverged', 'diverged']);
  });

  test.each([
    // With a conversation the ledger goes with it, and with the ledger what the run began with.
    ['not guessed at with a conversation', {}, 'history_anchor'],
    ['shown as it was without one', { mirror: 'off', sessionId: 'one' } as const, 7],
  ])('a session that is cleared in the middle of a turn is %s', async (_how, session, outcome) => {
    const world = chainedWorld(stream, { runner, session });
    const clear = tool({
      name: 'clear',
      description: 'Clears',
      parameters: z.object({}),
      execute: async () => {
        await world.session.clearSession();
        return 'cleared';
      },
    });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const run = turn(world, agent.clone({ tools: [clear] }), 'call clear {}');
    const ended = await run.then(
      ({ finalOutput }) => seen(finalOutput),
      (error: unknown) => (error instanceof Error ? Reflect.get(error, 'code') : error),
    );
    expect(ended).toBe(outcome);
  });
});

const shown: Record<string, (world: ChainedWorld) => Promise<unknown>> = {
  'caller-set': (world) => turn(world, agent, 'three', { previousResponseId: 'resp_1' }),
  'session-input-callback': (world) =>
    turn(world, agent, 'three', { sessionInputCallback: (history, input) => [...history, ...input] }),
  'model-input-filter': (world) =>
    turn(world, agent, 'three', { callModelInputFilter: ({ modelData }) => modelData }),
  'input-guardrail': (world) =>
    turn(
      world,
      agent.clone({
        inputGuardrails: [
          { name: 'all', execute: async () => ({ tripwireTriggered: false, outputInfo: {} }) },
        ],
      }),
      'three',
    ),
  'handoff-filter': (world) => {
    const expert = new Agent({ name: 'expert', model: 'gpt-4.1' });
    return turn(
      world,
      agent.clone({
        handoffs: [
          new Agent({
            name: 'between',
            model: 'gpt-4.1',
            handoffs: [handoff(expert, { inputFilter: (data) => data })],
          }),
        ],
      }),
      'three',
    );
  },
  'agent-start-listener': (world) => {
    world.runner.on('agent_start', () => undefined);
    return turn(world, agent, 'three');
  },
};

describe('the history is handed over whole where it is seen by', () => {
  test.each(Object.entries(shown))('%s', async (reason, live) => {
    const world = chainedWorld(false, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    await live(world).catch((error: unknown) => {
      if (reason !== 'caller-set') throw error;
    });
    expect(unanchored(world)).toEqual(['no-parent', reason]);
  });

  test('check-list', async () => {
    const world = chainedWorld(false, { runner, session: { checkList: 'every-read' } });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    expect(unanchored(world)).toEqual(['check-list', 'check-list']);
  });
});

describe('an anchor', () => {
  const anchor = anchorItem({ sessionId: 'elsewhere', version: 1, length: 1, digest: 'digest' });

  test('is no item of a session', async () => {
    const session: Session = new HybridSession({ mirror: 'off', sessionId: 'one' });
    await expect(session.addItems([user('hi'), anchor])).rejects.toMatchObject({
      code: 'invalid_item',
      index: 1,
    });
    expect(await session.getItems()).toEqual([]);
  });

  test('of another session is not shown to the model', async () => {
    const { client, simulator } = simulated();
    const ours = new HybridRunner({ tracingDisabled: true });
    const input: AgentInputItem[] = [anchor, user('hi')];
    const failure = { code: 'history_anchor', reason: 'no-session', sessionId: 'elsewhere' };
    await expect(ours.run(agent, input, { session: new HybridSession({ client }) })).rejects.toMatchObject(
      failure,
    );
    await expect(ours.run(agent, input)).rejects.toMatchObject(failure);
    expect(simulator.log.filter(({ operation }) => operation === 'responses.create')).toEqual([]);
  });

  test('is refused where there is no such way to be handed a history', () => {
    const wrong = JSON.parse('{"history":"sideways"}');
    expect(() => new HybridRunner(wrong)).toThrow("option 'history' must be 'whole' or 'anchored'");
  });
});
