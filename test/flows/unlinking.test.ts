import { OpenAIConversationsSession, OpenAIProvider, type Runner, type Session } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { UnlinkPolicyName } from '../../mocks/index.ts';
import type OpenAI from 'openai';
import { HybridRunner, HybridSession, memoryLedger } from '../../src/index.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { converse, historyOf, recorder, TURNS } from './support/story.ts';

const POLICIES = ['none', 'id-replay', 'every-turn'] as const;

/** A turn of each kind, and the items that it makes. */
const KINDS = {
  'without a tool': { items: 'u,a', say: (text: string) => text },
  'with a tool call': { items: 'u,c,r,a', say: (text: string) => `${text} call get_weather {"city":"Oslo"}` },
  'with parallel tool calls': {
    items: 'u,c,c,r,r,a',
    say: (text: string) => `${text} call get_weather {"city":"Oslo"} call get_weather {"city":"Rome"}`,
  },
} as const;

const STORIES = Object.entries(KINDS).flatMap(([kind, { items, say }]) =>
  [1, 4].flatMap((count) =>
    [false, true].map((stream) => ({
      title: `${count} turn(s) ${kind}, ${stream ? 'streamed' : 'as JSON'}`,
      turns: TURNS.slice(0, count).map((text) => say(text)),
      whole: Array.from({ length: count }, () => items).join(','),
      stream,
    })),
  ),
);

/** How far an app has gone: the session alone, or the runner too. */
const LEVELS = (['rebuild', 'chain'] as const).flatMap((rollout) => [
  { rollout, name: "the SDK's runner", runnerOn: simulatedRunner },
  {
    rollout,
    name: 'our runner',
    runnerOn: (client: OpenAI): Runner =>
      new HybridRunner({
        modelProvider: new OpenAIProvider({ openAIClient: client }),
        tracingDisabled: true,
      }),
  },
]);

/** The model's context at its last answer: every item but that answer. */
function whatTheModelSaw(whole: string): string {
  const seen = whole.split(',').slice(0, -1);
  const counts = [...new Set(seen)].map(
    (letter) => `${seen.filter((one) => one === letter).length}${letter}`,
  );
  return `I see ${seen.length} item${seen.length === 1 ? '' : 's'} (${counts.join(' ')})`;
}

/** A client of before SDK 0.9.1: it replays the IDs of stored messages. */
function replayingIds(session: Session): Session {
  return {
    getSessionId: () => session.getSessionId(),
    getItems: (limit) => session.getItems(limit),
    addItems: (items) => session.addItems(items),
    popItem: () => session.popItem(),
    clearSession: () => session.clearSession(),
  };
}

describe.each(POLICIES)('when the conversation unlinks answers by the policy %s', (unlink) => {
  describe.each(LEVELS)('HybridSession in mode $rollout with $name', ({ rollout, runnerOn }) => {
    it.each(STORIES)('a session keeps every item of $title', async ({ turns, whole, stream }) => {
      const { client } = simulated({ unlink });
      const session = new HybridSession({ client, rollout });
      const answers = await converse(runnerOn(client), session, turns, { stream });
      expect(answers.at(-1)).toContain(whatTheModelSaw(whole));
      expect(await historyOf(session)).toBe(whole);
      expect(await session.verify()).toMatchObject({
        verified: true,
        unproven: 0,
        length: whole.split(',').length,
        pending: 0,
        missing: [],
      });
    });

    it('a session keeps every item of a client that replays IDs', async () => {
      const { client } = simulated({ unlink });
      const session = new HybridSession({ client, rollout });
      const answers = await converse(runnerOn(client), replayingIds(session), TURNS);
      expect(answers.at(-1)).toContain('I see 7 items (4u 3a)');
      expect(await historyOf(session)).toBe('u,a,u,a,u,a,u,a');
    });
  });

  describe.each(['off', 'shadow'] as const)('HybridSession in mode %s', (rollout) => {
    it.each(STORIES)('a session serves $title as the stock session does, and records all', async (story) => {
      const stock = await withStockSession(unlink, story);
      const { client } = simulated({ unlink });
      const ledger = memoryLedger();
      const session = new HybridSession({ client, ledger, rollout });
      const answers = await converse(simulatedRunner(client), session, story.turns, { stream: story.stream });
      expect(answers).toEqual(stock.answers);
      expect(await historyOf(session)).toBe(stock.history);

      const conversationId = await session.getSessionId();
      const rebuilt = new HybridSession({ client, ledger, conversationId, rollout: 'rebuild' });
      expect(await historyOf(rebuilt)).toBe(story.whole);
    });

    it('a session reports its lost items', async () => {
      const { client } = simulated({ unlink });
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, rollout, onEvent });
      await converse(simulatedRunner(client), session, TURNS);
      const served = await historyOf(session);
      const lost = unlink === 'every-turn' ? 3 : 0;
      expect(served).toBe(lost === 0 ? 'u,a,u,a,u,a,u,a' : 'u,u,u,u,a');
      expect(of('lost').at(-1)?.total ?? 0).toBe(rollout === 'off' ? 0 : lost);
      expect(of('lost').flatMap(({ findings }) => findings)).toHaveLength(rollout === 'off' ? 0 : lost);
      expect((await session.verify()).findings.map(({ type, kind }) => `${type} ${kind}`)).toEqual(
        Array.from({ length: lost }, () => 'lost message:assistant'),
      );
    });
  });
});

describe('the stock session', () => {
  it('the stock session loses all answers but the newest if the API unlinks at every turn', async () => {
    const { answers, history } = await withStockSession('every-turn', { turns: TURNS, stream: false });
    expect(history).toBe('u,u,u,u,a');
    expect(answers.at(-1)).toContain('I see 5 items (4u 1a)');
  });

  it('the stock session loses answers if a client replays their IDs', async () => {
    const { client } = simulated({ unlink: 'id-replay' });
    const session = new OpenAIConversationsSession({ client });
    const answers = await converse(simulatedRunner(client), replayingIds(session), TURNS);
    expect(await historyOf(session)).toBe('u,u,u,u,a');
    expect(answers.at(-1)).toContain('I see 5 items (4u 1a)');
  });
});

async function withStockSession(
  unlink: UnlinkPolicyName,
  { turns, stream }: { readonly turns: readonly string[]; readonly stream: boolean },
): Promise<{ answers: string[]; history: string }> {
  const { client } = simulated({ unlink });
  const session = new OpenAIConversationsSession({ client });
  const answers = await converse(simulatedRunner(client), session, turns, { stream });
  return { answers, history: await historyOf(session) };
}
