import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import type { Runner } from '@openai/agents';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { HybridRunner, HybridSession, rolloutSwitch, type Mode, type Rollout } from '../../src/index.ts';
import { openFeatureRollout } from '../../src/openfeature.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { turns } from '../support/virtual-time.ts';
import { assistantAgent, converse, recorder, type Recorder } from './support/story.ts';

/** A session in the middle of its life, and the runner that its app holds. */
interface Live {
  readonly session: HybridSession;
  readonly runner: Runner;
  readonly stream: boolean;
  readonly told: Recorder;
}

/** Sessions with both runners, JSON and streamed, each with a turn behind it. */
async function alive(rollout: Rollout): Promise<Live[]> {
  const lives: Live[] = [];
  const ways = [true, false].flatMap((ours) => [true, false].map((stream) => ({ ours, stream })));
  for (const [seed, { ours, stream }] of [...ways, ...ways, ...ways].entries()) {
    const { client } = simulated({ unlink: 'every-turn', seed });
    const told = recorder();
    const session = new HybridSession({ client, rollout, onEvent: told.onEvent, observers: [told.observer] });
    const runner = ours ? new HybridRunner({ tracingDisabled: true }) : simulatedRunner(client);
    lives.push({ session, runner, stream, told });
    await converse(runner, session, ['hi', 'what can you do?', 'give me one example'], { stream });
  }
  return lives;
}

/** The model's view at the next turn of each: 7 items of the whole history, 5 of the list. */
async function seenNext(lives: readonly Live[]): Promise<string[]> {
  const seen: string[] = [];
  for (const { session, runner, stream } of lives) {
    const [answer = ''] = await converse(runner, session, ['thanks'], { stream });
    seen.push(/I see (\d+) items/.exec(answer)?.[1] ?? answer);
  }
  return seen;
}

const all = (lives: readonly Live[], count: string): string[] => lives.map(() => count);

function flag(mode: Mode): Parameters<InMemoryProvider['putConfiguration']>[0] {
  return { memory: { disabled: false, defaultVariant: mode, variants: { [mode]: mode } } };
}

describe('every live session changes its mode', () => {
  test('every live session changes its mode at its next turn after one call', async () => {
    const control = rolloutSwitch('chain');
    const lives = await alive(control.rollout);
    control.force('off');
    expect(await seenNext(lives)).toEqual(all(lives, '5'));
    for (const { session, told } of lives) {
      expect(told.plans.at(-1)?.reason ?? 'mode').toBe('mode');
      // Off and on again, it has forgotten nothing.
      expect((await session.getItems()).length).toBeLessThan(8);
    }
    control.force(undefined);
    for (const { session } of lives) expect(await session.getItems()).toHaveLength(8);
  });

  test('every live session changes its mode at its next turn by a variable that a function reads', async () => {
    let mode: Mode = 'rebuild';
    const lives = await alive(async () => mode);
    mode = 'shadow';
    expect(await seenNext(lives)).toEqual(all(lives, '5'));
    mode = 'chain';
    for (const { session } of lives) expect(await session.getItems()).toHaveLength(8);
  });

  test('a running turn ends in its mode, and the next turn has the new one', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const control = rolloutSwitch('chain');
    const told = recorder();
    const session = new HybridSession({
      client,
      rollout: control.rollout,
      onEvent: told.onEvent,
      observers: [told.observer],
    });
    const runner = new HybridRunner({ tracingDisabled: true });
    await converse(runner, session, ['hi', 'what can you do?', 'give me one example'], { stream: true });
    const text = 'call get_weather {"city":"Oslo"}';
    const streamed = await runner.run(assistantAgent(), text, { session, stream: true });
    for await (const event of streamed) if (event.type === 'raw_model_stream_event') control.force('off');
    await streamed.completed;
    // Both requests of the turn were chained, the one after the order too.
    expect(told.plans.slice(-2).map(({ plan }) => plan)).toEqual(['chain', 'chain']);
    expect(streamed.finalOutput).toContain('I see 9 items');
    const [answer] = await converse(runner, session, ['thanks'], { stream: true });
    expect(told.plans.at(-1)).toMatchObject({ plan: 'replay', reason: 'mode' });
    // The listed items: 5 messages of the user, the call, its result, and the newest answer.
    expect(answer).toContain('I see 8 items');
    control.force(undefined);
    expect(await session.getItems()).toHaveLength(12);
    expect(simulator.log.filter(({ status }) => (status ?? 0) >= 400)).toEqual([]);
  });

  test('a session without a conversation serves its ledger in every mode, and is not chained in off', async () => {
    const { client } = simulated();
    const control = rolloutSwitch('chain');
    const told = recorder();
    const session = new HybridSession({
      client,
      mirror: 'off',
      sessionId: 'session-1',
      rollout: control.rollout,
      onEvent: told.onEvent,
      observers: [told.observer],
    });
    const runner = new HybridRunner({ tracingDisabled: true });
    for (const mode of ['chain', 'off', 'shadow', 'rebuild', 'chain'] as const) {
      control.force(mode);
      await converse(runner, session, ['hi']);
    }
    expect(told.plans.map(({ reason }) => reason)).toEqual(['no_parent', 'mode', 'mode', 'mode', 'extends']);
    expect(await session.getItems()).toHaveLength(10);
  });

  test('a turn that waits for a hanging flag service obeys the switch', async () => {
    // Only the time that a rollout may take: here it takes as long as it likes.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { client } = simulated();
    const answer = deferred<Mode>();
    const ask = vi.fn<() => Promise<Mode>>(() => answer.promise);
    const control = rolloutSwitch(ask);
    const told = recorder();
    const session = new HybridSession({
      client,
      rollout: control.rollout,
      onEvent: told.onEvent,
      observers: [told.observer],
    });
    const running = converse(new HybridRunner({ tracingDisabled: true }), session, ['hi']);
    while (ask.mock.calls.length === 0) await turns(1);
    control.force('off');
    answer.resolve('chain');
    await running;
    expect(told.plans.map(({ reason }) => reason)).toEqual(['mode']);
    expect(told.of('rollout_failed')).toEqual([]);
  });

  describe('a flag', () => {
    afterAll(() => OpenFeature.close());

    test('every live session changes its mode at its next turn by one value of an OpenFeature flag', async () => {
      const provider = new InMemoryProvider(flag('chain'));
      await OpenFeature.setProviderAndWait('memory', provider);
      const lives = await alive(openFeatureRollout(OpenFeature.getClient('memory'), 'memory'));
      provider.putConfiguration(flag('off'));
      expect(await seenNext(lives)).toEqual(all(lives, '5'));
      provider.putConfiguration(flag('rebuild'));
      for (const { session } of lives) expect(await session.getItems()).toHaveLength(8);
    });
  });
});
