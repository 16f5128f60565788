import { Agent, OpenAIChatCompletionsModel, tool, type AgentInputItem } from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { chainedModel, HybridSession, type PlanReason } from '../../src/index.ts';
import { CHAIN, type Chain } from '../../src/model/chain.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { chatClient } from '../runner/chat-client.ts';
import {
  chainedWorld,
  decisionsOf,
  turn,
  type ChainedWorld,
  type FlowOptions,
} from '../runner/flow-world.ts';
import { user } from '../support/conversation.ts';

/** A word that is in everything that is said, and nowhere else. */
const WORD = 'zebra';
const DAY = 24 * 60 * 60 * 1000;

const pay = tool({
  name: 'pay',
  description: `Pays a ${WORD}`,
  parameters: z.object({}),
  needsApproval: true,
  execute: () => `paid the ${WORD}`,
});

const agent = new Agent({
  name: 'Assistant',
  instructions: `Mind the ${WORD}`,
  model: 'gpt-4.1',
  tools: [pay],
});
const forgetful = new Agent({ name: 'Assistant', model: 'gpt-4.1', modelSettings: { store: false } });
const hi = `hi ${WORD}`;
const thanks = `thanks ${WORD}`;

/** A life whose last request is decided for the reason. */
interface Life {
  readonly plan: 'chain' | 'replay';
  readonly options?: FlowOptions;
  readonly live: (world: ChainedWorld) => Promise<unknown>;
}

const lives: Record<PlanReason, Life> = {
  extends: {
    plan: 'chain',
    live: async (world) => {
      await turn(world, agent, hi);
      await turn(world, agent, thanks);
    },
  },
  'no-parent': { plan: 'replay', live: (world) => turn(world, agent, hi) },
  mode: {
    plan: 'replay',
    options: { session: { rollout: 'rebuild' } },
    live: (world) => turn(world, agent, hi),
  },
  'caller-set': {
    plan: 'replay',
    live: async (world) => {
      const { lastResponseId = '' } = await turn(world, agent, hi);
      await turn(world, agent, thanks, { previousResponseId: lastResponseId });
    },
  },
  prompt: {
    plan: 'replay',
    live: async (world) => {
      const prompted = new Agent({ name: 'Assistant', model: 'gpt-4.1', prompt: { promptId: 'pmpt_1' } });
      await turn(world, agent, hi);
      await turn(world, prompted, thanks).catch(() => undefined);
    },
  },
  'unsupported-model': {
    plan: 'replay',
    live: async (world) => {
      const model = chainedModel(new OpenAIChatCompletionsModel(chatClient(WORD).client, 'chat'));
      await turn(world, agent, hi);
      await turn(world, new Agent({ name: 'Talker', model }), thanks);
    },
  },
  diverged: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      await turn(world, agent, thanks, { sessionInputCallback: (_history, input) => input });
    },
  },
  'nothing-new': {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      await turn(world, agent, thanks, {
        callModelInputFilter: ({ modelData }) => ({ ...modelData, input: modelData.input.slice(0, -1) }),
      });
    },
  },
  'not-stored': {
    plan: 'replay',
    live: async (world) => {
      await turn(world, forgetful, hi);
      await turn(world, agent, thanks);
    },
  },
  expired: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      vi.setSystemTime(Date.now() + 29 * DAY + 1);
      await turn(world, agent, thanks);
    },
  },
  'parent-refused': {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      world.simulator.fault('responses.create', 'previous_response_not_found');
      await turn(world, agent, thanks);
    },
  },
  'unanswered-tool-call': {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, `call pay {"for":"${WORD}"}`);
      const items = await world.session.getItems();
      // The SDK leaves an open call out; a filter that puts it back is refused by the API, chained or not.
      const withCall = { callModelInputFilter: () => ({ input: [...items, user(thanks)] }) };
      await turn(world, agent, thanks, withCall).catch(() => undefined);
    },
  },
  'sent-by-id': {
    plan: 'replay',
    live: async (world) => {
      const [found] = await searched(world);
      await turn(world, agent, hi);
      await turn(world, agent, [...(found === undefined ? [] : [found]), user(thanks)]);
    },
    options: {
      simulator: {
        respond: (context) =>
          context.length > 1
            ? undefined
            : { text: WORD, items: [{ type: 'web_search_call', status: 'completed' }] },
      },
    },
  },
  'ledger-unavailable': {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      await turn({ ...world, session: new Unreadable(world) }, agent, thanks);
    },
  },
};

/** A call of a hosted tool that a model made in another session. */
async function searched(world: ChainedWorld): Promise<AgentInputItem[]> {
  const session = new HybridSession({ client: world.client });
  await turn({ ...world, session }, agent, hi);
  return (await session.getItems()).filter(({ type }) => type === 'hosted_tool_call');
}

/** A session whose ledger cannot be read at the moment of a request. */
class Unreadable extends HybridSession {
  readonly #world: ChainedWorld;

  constructor(world: ChainedWorld) {
    super({ client: world.client });
    this.#world = world;
  }

  override get [CHAIN](): Chain {
    const chain = this.#world.session[CHAIN];
    return {
      client: chain.client,
      history: chain.history,
      view: () => Promise.reject(new Error(`The ledger of the ${WORD} cannot be read`)),
      answered: (answer) => chain.answered(answer),
      refused: (id, why) => chain.refused(id, why),
      planning: () => chain.planning(),
    };
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(WAYS)('%s', (_way, stream) => {
  test.each(Object.entries(lives))(
    'decides for %s, and tells no content',
    async (reason, { live, plan, options }) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const world = chainedWorld(stream, options);
      await live(world);
      expect(decisionsOf(world).at(-1)).toMatch(new RegExp(`^${reason} `));
      const { parentId, would, ...told } = world.events.findLast((event) => event.type === 'planned') ?? {};
      expect(told).toEqual({
        type: 'planned',
        sessionId: world.session.sessionId,
        plan,
        reason,
        sent: expect.any(Number),
        context: expect.any(Number),
        savedBytes: expect.any(Number),
      });
      expect(would?.reason).toBe(reason === 'mode' ? 'no-parent' : undefined);
      expect(typeof parentId === 'string').toBe(reason === 'extends' || reason === 'parent-refused');
      expect(JSON.stringify(world.events)).not.toContain(WORD);
    },
  );
});
