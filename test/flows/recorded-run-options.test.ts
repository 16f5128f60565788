import { Agent, type AgentInputItem, OpenAIResponsesModel } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { chainedModel, HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { newestRequest, recordedWorld, told, type RecordedWorld } from './support/recorded-runs.ts';

/** Everything that the store holds of the session. */
async function storedIn({ store }: RecordedWorld): Promise<string> {
  return JSON.stringify(await store.read('recorded'));
}

function redacted(items: AgentInputItem[]): AgentInputItem[] {
  return items.map((item) =>
    'role' in item && item.role === 'user' && item.content === 'my secret'
      ? { role: 'user', content: 'redacted' }
      : item,
  );
}

describe('options of recorded runs', () => {
  it('an interrupted call gets the text of the option', async () => {
    const world = recordedWorld({
      record: 'as-it-goes',
      interruptedCalls: { result: 'no result, ask first' },
    });
    const { runner, agent, session } = world;
    await expect(runner.run(agent, 'break', { session })).rejects.toThrow(/run function tools/);
    expect(told(await session.getItems())).toEqual([
      'user: break',
      'call break',
      'break: no result, ask first',
    ]);
  });

  it('an interrupted call is left out with drop, and the next turn is sent no call without a result', async () => {
    const world = recordedWorld({ record: 'as-it-goes', interruptedCalls: 'drop' });
    const { runner, agent, session } = world;
    await expect(runner.run(agent, 'find and break', { session })).rejects.toThrow(/run function tools/);
    expect(told(await session.getItems())).toEqual(['user: find and break', 'call find', 'find: found']);
    expect(await storedIn(world)).not.toContain('"name":"break"');
    const { finalOutput } = await runner.run(agent, 'thanks', { session });
    expect(finalOutput).toBe('answer to thanks');
  });

  it('a dropped call takes its reasoning along', async () => {
    const { client } = simulated({
      respond: (context) => {
        const isAsked = context.at(-1)?.['role'] === 'user';
        return isAsked && context.length === 1
          ? { reasoning: 'thinking', calls: [{ name: 'break', callId: 'call_1' }] }
          : 'hello';
      },
    });
    const world = recordedWorld();
    const store = memoryLedger();
    const session = new HybridSession({ client, sessionId: 'thinks', ledger: store });
    const runner = new HybridRunner({
      tracingDisabled: true,
      record: 'as-it-goes',
      interruptedCalls: 'drop',
    });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [...world.tools] });
    await expect(runner.run(agent, 'break', { session })).rejects.toThrow(/run function tools/);
    expect(told(await session.getItems())).toEqual(['user: break']);
    expect((await runner.run(agent, 'thanks', { session })).finalOutput).toBe('hello');
  });

  it('the exception of a tool is neither shown to a model nor left in the store', async () => {
    const world = recordedWorld();
    const { runner, agent, session } = world;
    await expect(runner.run(agent, 'break', { session })).rejects.toThrow('a secret of the tool');
    await runner.run(agent, 'thanks', { session });
    expect(JSON.stringify(newestRequest(world.simulator))).not.toContain('a secret of the tool');
    expect(await storedIn(world)).not.toContain('a secret of the tool');
  });

  it.each([false, true])(
    'content that a guardrail refused is not left in the store (streamed: %s)',
    async (stream) => {
      const refusing = { name: 'g', execute: async () => ({ tripwireTriggered: true, outputInfo: {} }) };
      const world = recordedWorld();
      const { runner, session } = world;
      const run = async (agent: Agent, text: string): Promise<void> => {
        if (!stream) return void (await runner.run(agent, text, { session }));
        const streamed = await runner.run(agent, text, { session, stream: true });
        await streamed.completed;
      };
      await expect(
        run(world.agent.clone({ inputGuardrails: [refusing] }), 'a forbidden question'),
      ).rejects.toThrow(/guardrail/i);
      expect(await storedIn(world)).not.toContain('a forbidden question');
      await expect(run(world.agent.clone({ outputGuardrails: [refusing] }), 'a question')).rejects.toThrow(
        /guardrail/i,
      );
      expect(told(await session.getItems())).toEqual(['user: a question']);
      expect(await storedIn(world)).not.toContain('answer to a question');
    },
  );

  it('an input that a filter changes is recorded as the model is sent it', async () => {
    const world = recordedWorld();
    const { runner, agent, session, simulator } = world;
    await runner.run(agent, 'yes', { session });
    simulator.fault('responses.create', { status: 500, times: 5 });
    const run = runner.run(agent, 'my secret', {
      session,
      callModelInputFilter: ({ modelData }) => ({ ...modelData, input: redacted(modelData.input) }),
    });
    await expect(run).rejects.toThrow('500');
    expect(told(await session.getItems()).slice(2)).toEqual(['user: redacted']);
    expect(await storedIn(world)).not.toContain('my secret');
    const dropping = runner.run(agent, 'yes', {
      session,
      callModelInputFilter: ({ modelData }) => ({ ...modelData, input: modelData.input.slice(-1) }),
    });
    await expect(dropping).rejects.toThrow('500');
    expect(told(await session.getItems()).slice(3)).toEqual(['user: yes']);
  });

  it('a session without content refuses to record a run', async () => {
    const world = recordedWorld({ record: 'as-it-goes' }, { keepContent: false });
    await expect(world.runner.run(world.agent, 'hi', { session: world.session })).rejects.toMatchObject({
      code: 'invalid_options',
      option: 'record',
    });
    expect(world.simulator.log).toEqual([]);
  });

  it("an agent's own model is recorded if it is wrapped, and refused otherwise", async () => {
    const world = recordedWorld();
    const { runner, session, client, tools } = world;
    const model = new OpenAIResponsesModel(client, 'gpt-4.1');
    const own = new Agent({ name: 'Own', model, tools: [...tools] });
    await expect(runner.run(own, 'hi', { session })).rejects.toMatchObject({ option: 'record' });
    const wrapped = new Agent({ name: 'Own', model: chainedModel(model), tools: [...tools] });
    await expect(runner.run(wrapped, 'break', { session })).rejects.toThrow(/run function tools/);
    expect(told(await session.getItems()).slice(0, 2)).toEqual(['user: break', 'call break']);
  });

  it.each(['off', 'shadow'] as const)('mode %s records no draft', async (rollout) => {
    const world = recordedWorld({ record: 'as-it-goes' }, { rollout });
    const { runner, agent, session } = world;
    await expect(runner.run(agent, 'break', { session })).rejects.toThrow(/run function tools/);
    expect(await storedIn(world)).not.toContain('draft');
    expect(told(await session.getItems())).toEqual([]);
  });

  it('the input is in the ledger before the model is asked, and no draft is in the conversation', async () => {
    const world = recordedWorld();
    const { runner, agent, session, simulator, store } = world;
    const reading: ReturnType<Ledger['readAt']>[] = [];
    simulator.onRequest(({ operation }) => {
      if (operation !== 'responses.create') return;
      reading.push(new Ledger({ store, sessionId: 'recorded' }).readAt());
    });
    await runner.run(agent, 'find', { session });
    const seen = (await Promise.all(reading)).map(({ drafts, entries }) => {
      const items = drafts.open.flatMap((draft) => draft.items.flatMap(({ item }) => item ?? []));
      return [String(entries.length), ...told(items)];
    });
    expect(seen).toEqual([
      ['0', 'user: find'],
      ['0', 'user: find', 'call find', 'find: found'],
    ]);
    const writes = simulator.log.filter(({ operation }) => operation === 'conversations.items.create');
    expect(writes).toHaveLength(1);
  });

  it.each(['whole', 'reference', 'stock runner', 'getItems()', 'turns()'] as const)(
    'a draft of a dead process is settled before the next read of the history: %s',
    async (way) => {
      const world = recordedWorld(way === 'reference' ? { history: way } : {});
      const { runner, agent, session, store, simulator } = world;
      await runner.run(agent, 'hi', { session });
      const dead = new Ledger({ store, sessionId: 'recorded' });
      const items: AgentInputItem[] = [
        { role: 'user', content: 'find' },
        { type: 'function_call', name: 'find', callId: 'call_of_the_dead', arguments: '{}' },
      ];
      const draft = { type: 'draft', run: 'run-of-the-dead', keep: 0 } as const;
      await dead.append(() => [
        { ...draft, responses: [], items: items.map((item) => ledgerItem(item, true)) },
      ]);
      const next = world.reopen();
      if (way === 'getItems()') await next.getItems();
      if (way === 'turns()') await next.turns();
      const last = way === 'stock runner' ? simulatedRunner(world.client) : runner;
      await last.run(agent, 'thanks', { session: world.reopen() });
      expect(told(await world.reopen().getItems()).slice(2)).toEqual([
        'user: find',
        'call find',
        'find: The run was interrupted before this tool returned a result.',
        'user: thanks',
        'assistant: answer to thanks',
      ]);
      expect((await world.state()).drafts).toMatchObject({
        open: [],
        interrupted: [{ reason: 'abandoned', from: 2, until: 5, made: 1 }],
      });
      expect(await next.turns()).toMatchObject([
        { state: 'complete' },
        { state: 'interrupted', reason: 'abandoned', items: { length: 3 } },
        { state: 'complete' },
      ]);
      const asked = simulator.log.findLast(({ operation }) => operation === 'responses.create');
      expect(asked?.context?.length).toBe(6);
    },
  );

  it('a run goes on from the response of an interrupted turn', async () => {
    const world = recordedWorld();
    const { runner, agent, session, simulator } = world;
    await runner.run(agent, 'hi', { session });
    await expect(runner.run(agent, 'break', { session })).rejects.toThrow(/run function tools/);
    const parent = simulator.snapshot().responses.at(-1)?.id;
    await runner.run(agent, 'thanks', { session: world.reopen() });
    expect(newestRequest(simulator)).toMatchObject({
      previous_response_id: parent,
      input: [{ type: 'function_call_output' }, { role: 'user' }],
    });
  });

  it('a run that another run of the same process reads beside is not taken for an interrupted one', async () => {
    const world = recordedWorld();
    const { runner, agent, reopen } = world;
    await Promise.all(['find', 'hello'].map((text) => runner.run(agent, text, { session: reopen() })));
    expect((await world.state()).drafts).toEqual({ open: [], interrupted: [] });
    expect(told(await reopen().getItems()).toSorted()).toEqual(
      [
        'user: find',
        'call find',
        'find: found',
        'assistant: answer to find',
        'user: hello',
        'assistant: answer to hello',
      ].toSorted(),
    );
  });

  it('a session that is cleared during a run keeps the run alone', async () => {
    const world = recordedWorld();
    const { runner, session, agent } = world;
    await runner.run(agent, 'hi', { session });
    runner.once('agent_tool_start', () => void session.clearSession());
    await runner.run(agent, 'find', { session });
    expect((await world.state()).drafts).toEqual({ open: [], interrupted: [] });
    expect(told(await session.getItems())).toEqual([
      'user: find',
      'call find',
      'find: found',
      'assistant: answer to find',
    ]);
  });

  it('a run that ends well after its ledger refused a draft is whole', async () => {
    const memory = memoryLedger();
    let failures = 0;
    const store = {
      ...memory,
      append: async (...args: Parameters<typeof memory.append>) => {
        if (
          args[1].some(
            (record) =>
              record.type === 'draft' && record.items.some(({ kind }) => kind === 'function_call_result'),
          ) &&
          failures++ === 0
        )
          throw new Error('the store is away');
        return memory.append(...args);
      },
    };
    const world = recordedWorld({ record: 'as-it-goes' }, { ledger: store });
    await world.runner.run(world.agent, 'find', { session: world.session });
    expect(failures).toBeGreaterThan(0);
    expect(told(await world.session.getItems())).toEqual([
      'user: find',
      'call find',
      'find: found',
      'assistant: answer to find',
    ]);
    expect((await world.state()).drafts).toEqual({ open: [], interrupted: [] });
  });

  it.each([{ record: 'always' }, { interruptedCalls: 'keep' }, { interruptedCalls: { result: 1 } }])(
    'a runner refuses %j',
    (options) => {
      const [option] = Object.keys(options);
      expect(() => new HybridRunner(options as never)).toThrow(
        expect.objectContaining({ code: 'invalid_options', option }),
      );
    },
  );
});
