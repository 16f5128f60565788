import { codeOf } from './support/story.ts';
import { Agent, handoff, RunState, tool, type AgentInputItem, type Session } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { historyReferenceItem } from '../../src/chaining/history-reference.ts';
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

const runner = { history: 'reference' } as const;

const reference = historyReferenceItem({ sessionId: 'elsewhere', version: 1, length: 1, digest: 'digest' });

const REFERENCE_TYPE = z.object({ providerData: z.object({ type: z.string() }) }).parse(reference)
  .providerData.type;

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

/** The number of items in the model's input. */
const seen = (answer: unknown): number => Number(/I see (\d+) item/.exec(String(answer))?.[1]);

/** The reasons of the `full_history` warnings, turn by turn. */
function fullHistoryReasons({ events }: ChainedWorld): string[] {
  return events.flatMap((event) =>
    codeOf(event) === 'full_history' && 'reason' in event ? [event.reason ?? ''] : [],
  );
}

/** A store that records its calls. */
function watchedStore(): { readonly store: LedgerStore; readonly asked: string[] } {
  const inner = memoryLedger();
  const asked: string[] = [];
  const note = (call: string): void => void asked.push(call);
  const store: LedgerStore = {
    checkpoint: (id) => (note('checkpoint'), inner.checkpoint(id)),
    read: (id, from, to) => (note('read'), inner.read(id, from, to)),
    append: (id, records, checkpoint, expected) => (
      note('append'),
      inner.append(id, records, checkpoint, expected)
    ),
    rewrite: (id, records, checkpoint, expected) => (
      note('rewrite'),
      inner.rewrite(id, records, checkpoint, expected)
    ),
    delete: (id) => (note('delete'), inner.delete(id)),
  };
  return { store, asked };
}

describe.each(WAYS)('a run with a history reference, %s', (_way, stream) => {
  test('the requests and the memory of a turn do not grow with the history', async () => {
    const world = chainedWorld(stream, { runner, session: { mirror: 'off', sessionId: 'one' } });
    const bytes: number[] = [];
    for (let at = 0; at < 60; at += 1) {
      const requests = await requestsOf(world.simulator, () => turn(world, agent, `turn ${at + 10}`));
      expect(requests).toEqual(['responses.create']);
      bytes.push(JSON.stringify(requestsIn(world).at(-1)?.body).length);
    }
    // The first turn has nothing to continue from.
    expect(fullHistoryReasons(world)).toEqual(['no_parent']);
    expect(new Set(bytes.slice(1)).size).toBe(1);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/119');
    expect(await world.session.getItems()).toHaveLength(120);
    expect(await world.session.verify()).toMatchObject({ verified: true, length: 120 });
  });

  test('a new process reads only the checkpoint before it asks the model', async () => {
    const { client, simulator } = simulated();
    const { store, asked } = watchedStore();
    const first = new HybridSession({ client, ledger: store });
    const ours = new HybridRunner({ tracingDisabled: true, history: 'reference' });
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
    expect([...new Set(atModel.flat())]).toEqual(['checkpoint']);
    // An older SDK writes the input of a streamed run before it asks the model.
    expect(new Set(requests)).toEqual(new Set(['responses.create', 'conversations.items.create']));
    expect(requests.filter((one) => one === 'responses.create')).toHaveLength(1);
    // A write of new items reads no history either.
    expect(asked.filter((one) => one === 'read').length).toBeLessThanOrEqual(1);
    expect(await session.getItems()).toHaveLength(42);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  test('the result of a run holds no placeholder', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const result = await turn(world, agent, 'call look {}');
    for (const left of [result.history, result.input, result.state.toString(), result.state.history])
      expect(JSON.stringify(left)).not.toContain(REFERENCE_TYPE);
    // The input and output of this run only, like with the SDK's own `previousResponseId`.
    expect(result.history.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_result',
      'message',
    ]);
    expect(await world.session.getItems()).toHaveLength(8);
  });

  test('any runner in any process can resume an interrupted run', async () => {
    for (const resume of ['ours', 'the runner of the SDK', 'ours with the whole history'] as const) {
      const world = chainedWorld(stream, { runner });
      for (const text of ['one', 'two']) await turn(world, agent, text);
      const interrupted = await turn(world, agent, 'call pay {}');
      expect(interrupted.interruptions).toHaveLength(1);
      const text = interrupted.state.toString();
      expect(text).not.toContain(REFERENCE_TYPE);
      world.reopen();
      const state = await RunState.fromString(agent, text);
      for (const one of state.getInterruptions()) state.approve(one);
      const resumed = await {
        ours: () => turn(world, agent, state),
        'the runner of the SDK': () =>
          simulatedRunner(world.client).run(agent, state, { session: world.session }),
        'ours with the whole history': () =>
          new HybridRunner({ tracingDisabled: true }).run(agent, state, { session: world.session }),
      }[resume]();
      expect(seen(resumed.finalOutput)).toBe(7);
      expect(await world.session.getItems()).toHaveLength(8);
      expect(seen((await turn(world, agent, 'and now?')).finalOutput)).toBe(9);
    }
  });

  test('a failed run leaves a state that can be resumed', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const failed = await turn(world, agent, 'call look {}', { maxTurns: 1 }).catch((error: unknown) => error);
    const state: unknown = failed instanceof Error ? Reflect.get(failed, 'state') : undefined;
    if (!(state instanceof RunState)) throw new Error('There is no state');
    expect(state.history.length).toBe(7);
    expect(JSON.stringify(state.history)).not.toContain(REFERENCE_TYPE);
  });

  test('the history is sent whole, once, if the server does not continue', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const { responses } = world.simulator.snapshot();
    await world.client.responses.delete(responses.at(-1)?.id ?? '');
    expect(seen((await turn(world, agent, 'three')).finalOutput)).toBe(5);
    expect(decisionsOf(world).slice(-2)).toEqual(['extends 1/5', 'parent_refused 5/5']);
    expect(seen((await turn(world, agent, 'four')).finalOutput)).toBe(7);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/7');
  });

  test('two concurrent runs both continue from the history at their start', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    const both = await Promise.all([
      turn(world, agent, 'left call look {}'),
      turn(world, agent, 'right call look {}'),
    ]);
    for (const { finalOutput } of both) expect(seen(finalOutput)).toBe(7);
    expect(await world.session.getItems()).toHaveLength(12);
    // Each model saw one of the two turns only, so no response has the whole history as its context.
    expect(seen((await turn(world, agent, 'and now?')).finalOutput)).toBe(13);
    expect(fullHistoryReasons(world)).toEqual(['no_parent', 'diverged']);
  });

  test('a turn sends the items that were added or popped after the newest response', async () => {
    const world = chainedWorld(stream, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    await world.session.addItems([user('by the way'), assistant('I see')]);
    expect(seen((await turn(world, agent, 'three')).finalOutput)).toBe(7);
    await world.session.popItem();
    expect(seen((await turn(world, agent, 'four')).finalOutput)).toBe(8);
    expect(seen((await turn(world, agent, 'five')).finalOutput)).toBe(10);
    expect(fullHistoryReasons(world)).toEqual(['no_parent', 'diverged', 'diverged']);
  });

  test.each([
    ['with a conversation', {}],
    ['without one', { mirror: 'off', sessionId: 'one' } as const],
  ])('a turn fails instead of guessing if a session %s is cleared during it', async (_how, session) => {
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
    // The clear deleted the history that the run began with.
    expect(ended).toBe('history_reference');
  });
});

const shown: Record<string, (world: ChainedWorld) => Promise<unknown>> = {
  caller_set: (world) => turn(world, agent, 'three', { previousResponseId: 'resp_1' }),
  session_input_callback: (world) =>
    turn(world, agent, 'three', { sessionInputCallback: (history, input) => [...history, ...input] }),
  model_input_filter: (world) =>
    turn(world, agent, 'three', { callModelInputFilter: ({ modelData }) => modelData }),
  input_guardrail: (world) =>
    turn(
      world,
      agent.clone({
        inputGuardrails: [
          { name: 'all', execute: async () => ({ tripwireTriggered: false, outputInfo: {} }) },
        ],
      }),
      'three',
    ),
  handoff_filter: (world) => {
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
  agent_start_listener: (world) => {
    world.runner.on('agent_start', () => undefined);
    return turn(world, agent, 'three');
  },
};

describe('the full history is used', () => {
  test.each(Object.entries(shown))('a run gets the full history because of %s', async (reason, live) => {
    const world = chainedWorld(false, { runner });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    await live(world).catch((error: unknown) => {
      if (reason !== 'caller_set') throw error;
    });
    expect(fullHistoryReasons(world)).toEqual(['no_parent', reason]);
  });

  test('a run gets the full history because of compare_on_read', async () => {
    const world = chainedWorld(false, { runner, session: { advanced: { compare: 'on-read' } } });
    for (const text of ['one', 'two']) await turn(world, agent, text);
    expect(fullHistoryReasons(world)).toEqual(['compare_on_read', 'compare_on_read']);
  });
});

describe('a placeholder', () => {
  test('addItems refuses a placeholder', async () => {
    const session: Session = new HybridSession({ mirror: 'off', sessionId: 'one' });
    await expect(session.addItems([user('hi'), reference])).rejects.toMatchObject({
      code: 'invalid_item',
      index: 1,
    });
    expect(await session.getItems()).toEqual([]);
  });

  test('a placeholder of another session never reaches the model', async () => {
    const { client, simulator } = simulated();
    const ours = new HybridRunner({ tracingDisabled: true });
    const input: AgentInputItem[] = [reference, user('hi')];
    const failure = { code: 'history_reference', reason: 'no_session', sessionId: 'elsewhere' };
    await expect(ours.run(agent, input, { session: new HybridSession({ client }) })).rejects.toMatchObject(
      failure,
    );
    await expect(ours.run(agent, input)).rejects.toMatchObject(failure);
    expect(simulator.log.filter(({ operation }) => operation === 'responses.create')).toEqual([]);
  });

  test('HybridRunner refuses an unknown value of the option history', () => {
    const wrong = JSON.parse('{"history":"sideways"}');
    expect(() => new HybridRunner(wrong)).toThrow("option 'history' must be 'whole' or 'reference'");
  });
});
