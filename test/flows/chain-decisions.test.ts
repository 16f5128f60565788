import {
  Agent,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  tool,
  type AgentInputItem,
} from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { chainedModel, HybridSession, type PlanReason } from '../../src/index.ts';
import { CHAINING_PORT, type ChainingPort } from '../../src/chaining/port.ts';
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
import { simulated } from '../support/simulated.ts';

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
  no_parent: { plan: 'replay', live: (world) => turn(world, agent, hi) },
  mode: {
    plan: 'replay',
    options: { session: { rollout: 'rebuild' } },
    live: (world) => turn(world, agent, hi),
  },
  caller_set: {
    plan: 'replay',
    live: async (world) => {
      const { lastResponseId = '' } = await turn(world, agent, hi);
      await turn(world, agent, thanks, { previousResponseId: lastResponseId });
    },
  },
  compacted: {
    plan: 'replay',
    options: { session: { history: { compaction: {} } } },
    live: async (world) => {
      await turn(world, agent, hi);
      world.simulator.fault('responses.create', { name: 'context_length_exceeded', times: 1 });
      await turn(world, agent, thanks);
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
  unsupported_model: {
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
  nothing_new: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      await turn(world, agent, thanks, {
        callModelInputFilter: ({ modelData }) => ({ ...modelData, input: modelData.input.slice(0, -1) }),
      });
    },
  },
  not_stored: {
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
  parent_refused: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      world.simulator.fault('responses.create', 'previous_response_not_found');
      await turn(world, agent, thanks);
    },
  },
  other_server: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      const elsewhere = new OpenAIResponsesModel(simulated().client, 'gpt-4.1');
      await turn(world, new Agent({ name: 'Stranger', model: chainedModel(elsewhere) }), thanks);
    },
  },
  server_paused: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, hi);
      world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 3 });
      for (let count = 0; count < 4; count += 1) await turn(world, agent, thanks);
    },
  },
  unanswered_tool_call: {
    plan: 'replay',
    live: async (world) => {
      await turn(world, agent, `call pay {"for":"${WORD}"}`);
      const items = await world.session.getItems();
      // The SDK leaves an open call out; a filter that puts it back is refused by the API, chained or not.
      const withCall = { callModelInputFilter: () => ({ input: [...items, user(thanks)] }) };
      await turn(world, agent, thanks, withCall).catch(() => undefined);
    },
  },
  sent_by_id: {
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
  ledger_unavailable: {
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

  override get [CHAINING_PORT](): ChainingPort {
    const chain = this.#world.session[CHAINING_PORT];
    return {
      client: chain.client,
      history: chain.history,
      view: () => Promise.reject(new Error(`The ledger of the ${WORD} cannot be read`)),
      answered: (answer) => chain.answered(answer),
      refused: (...refusal) => chain.refused(...refusal),
      lost: (keys) => chain.lost(keys),
      compact: () => chain.compact(),
      uncompact: () => chain.uncompact(),
      warn: (warning) => chain.warn(warning),
      planning: () => chain.planning(),
    };
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(WAYS)('%s', (_way, stream) => {
  test.each(Object.entries(lives))(
    'the plan has the reason %s and tells no content',
    async (reason, { live, plan, options }) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const world = chainedWorld(stream, options);
      await live(world);
      expect(decisionsOf(world).at(-1)).toMatch(new RegExp(`^${reason} `));
      const { parentId, shadowPlan, ...told } = world.plans.at(-1) ?? {};
      expect(told).toEqual({
        plan,
        reason,
        sent: expect.any(Number),
        context: expect.any(Number),
        savedBytes: expect.any(Number),
      });
      expect(shadowPlan?.reason).toBe(reason === 'mode' ? 'no_parent' : undefined);
      expect(typeof parentId === 'string').toBe(reason === 'extends' || reason === 'parent_refused');
      expect(JSON.stringify(world.events)).not.toContain(WORD);
    },
  );
});
