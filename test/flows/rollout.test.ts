import { OpenAIProvider, Runner } from '@openai/agents';
import { describe, expect, test, vi } from 'vitest';
import {
  chainedModel,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type Mode,
  type Rollout,
  type RolloutContext,
  type RolloutFunction,
} from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { turns } from '../support/virtual-time.ts';
import { assistantAgent, converse, recorder, TURNS } from './support/story.ts';

/** A rollout function that notes the models in its context. */
function asking(mode: Mode): { rollout: RolloutFunction; models: (string | undefined)[] } {
  const models: (string | undefined)[] = [];
  const rollout = ({ model }: RolloutContext): Mode => {
    models.push(model);
    return mode;
  };
  return { rollout, models };
}

describe.each(WAYS)('the model that a rollout is told, %s', (_way, stream) => {
  test("a rollout is given the agent's model at every turn, the first included, with HybridRunner", async () => {
    const { client } = simulated();
    const { rollout, models } = asking('chain');
    const session = new HybridSession({ client, rollout });
    const runner = new HybridRunner({ tracingDisabled: true });
    for (const model of ['gpt-5.4', 'gpt-4.1', 'gpt-5.4'])
      await converse(runner, session, ['hi'], { stream, agent: assistantAgent(model) });
    expect(models).toEqual(['gpt-5.4', 'gpt-4.1', 'gpt-5.4']);
  });

  test("a rollout is given the runner's model, or the default, if the agent names none", async () => {
    const { client } = simulated();
    const { rollout, models } = asking('chain');
    const agent = assistantAgent('');
    const named = new HybridRunner({ tracingDisabled: true, model: 'gpt-5.5' });
    await converse(named, new HybridSession({ client, rollout }), ['hi'], { stream, agent });
    vi.stubEnv('OPENAI_DEFAULT_MODEL', 'gpt-4.1');
    const unnamed = new HybridRunner({ tracingDisabled: true });
    await converse(unnamed, new HybridSession({ client, rollout }), ['hi'], { stream, agent });
    vi.unstubAllEnvs();
    expect(models).toEqual(['gpt-5.5', 'gpt-4.1']);
  });

  test("a rollout is given the last answering model if the model is an instance or the runner is the SDK's", async () => {
    const { client } = simulated();
    const { rollout, models } = asking('rebuild');
    const session = new HybridSession({ client, rollout });
    const model = chainedModel(await new OpenAIProvider({ openAIClient: client }).getModel('gpt-5.4'));
    const runners = [
      new HybridRunner({ tracingDisabled: true, model }),
      new Runner({ tracingDisabled: true, model }),
    ];
    for (const runner of [...runners, simulatedRunner(client)])
      await converse(runner, session, ['hi'], { stream, agent: assistantAgent('') });
    expect(models).toEqual([undefined, 'gpt-5.4', 'gpt-5.4']);
  });

  test('the model decides whether a rule applies to the session', async () => {
    const rule: Rollout = { mode: 'chain', models: ['gpt-5.4'], otherwise: 'shadow' };
    const modesOf = async (model: string): Promise<(string | undefined)[]> => {
      const { client } = simulated();
      const told = recorder();
      const session = new HybridSession({
        client,
        rollout: rule,
        onEvent: told.onEvent,
        observers: [told.observer],
      });
      const runner = new HybridRunner({ tracingDisabled: true });
      await converse(runner, session, TURNS.slice(0, 2), { stream, agent: assistantAgent(model) });
      return told.plans.map(({ reason }) => reason);
    };
    expect(await modesOf('gpt-5.4')).toEqual(['no_parent', 'extends']);
    expect(await modesOf('gpt-5.4-2026-03-05')).toEqual(['no_parent', 'extends']);
    expect(await modesOf('gpt-5.4-mini')).toEqual(['mode', 'mode']);
    expect(await modesOf('gpt-4.1')).toEqual(['mode', 'mode']);
  });
});

describe('a rollout that fails', () => {
  const failures: Record<string, [reason: string, code: string | undefined, decide: RolloutFunction]> = {
    throws: [
      'threw',
      'ECONNREFUSED',
      () => {
        throw Object.assign(new Error('xyzzy'), { code: 'ECONNREFUSED' });
      },
    ],
    rejects: ['threw', 'Error', async () => Promise.reject(new Error('xyzzy'))],
    'answers nonsense': ['no_mode', undefined, () => 'on' as Mode],
    'promises nonsense': ['no_mode', undefined, async () => undefined as never],
  };

  test.each(Object.entries(failures))(
    'a rollout that %s costs no turn and is reported',
    async (_, [reason, code, decide]) => {
      for (const defaultMode of ['off', 'shadow', 'rebuild', 'chain'] as const) {
        const { client } = simulated({ unlink: 'every-turn' });
        const told = recorder();
        const rollout = Object.assign((context: RolloutContext) => decide(context), { defaultMode });
        const session = new HybridSession({
          client,
          rollout,
          onEvent: told.onEvent,
          observers: [told.observer],
        });
        const [, , , last] = await converse(new HybridRunner({ tracingDisabled: true }), session, TURNS);
        const isList = defaultMode === 'off' || defaultMode === 'shadow';
        expect(last).toContain(`I see ${isList ? 5 : 7} items`);
        const sessionId = await session.getSessionId();
        const failed = {
          type: 'warning',
          code: 'rollout_failed',
          sessionId,
          mode: defaultMode,
          reason,
          cause: code,
        };
        expect(told.of('rollout_failed')).toEqual(TURNS.map(() => failed));
        expect(session.stats().events.rollout_failed).toBe(TURNS.length);
      }
    },
  );

  test('a rollout that never answers delays each turn of its session by a second, and no other session', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client } = simulated();
    const told = recorder();
    const ledger = memoryLedger();
    const hanging = new HybridSession({
      client,
      ledger,
      rollout: () => new Promise(() => undefined),
      onEvent: told.onEvent,
      observers: [told.observer],
    });
    const other = new HybridSession({ client, ledger, rollout: 'rebuild' });
    try {
      for (let turn = 1; turn <= 3; turn += 1) {
        const reading = hanging.getItems();
        await other.getItems();
        while (vi.getTimerCount() < 1) await turns(1);
        expect(told.of('rollout_failed')).toHaveLength(turn - 1);
        vi.advanceTimersByTime(1000);
        await reading;
        expect(told.of('rollout_failed').at(-1)).toMatchObject({ mode: 'chain', reason: 'too_slow' });
      }
    } finally {
      vi.useRealTimers();
    }
  });
});
