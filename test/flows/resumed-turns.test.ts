import {
  Agent,
  OpenAIProvider,
  RunState,
  tool,
  type Model,
  type ModelProvider,
  type ModelResponse,
  type Runner,
  Usage,
} from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  statsCollector,
  type HybridSessionOptions,
  type Mode,
  type SessionStats,
} from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import type { AnyAgent, Result } from '../runner/flow-world.ts';
import { assistant } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { recorder } from './support/story.ts';

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({ to: z.string() }),
  needsApproval: true,
  execute: ({ to }) => `paid ${to}`,
});

const agent: AnyAgent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [pay] });

/** The runners, and the session's knowledge of the model with each. */
const RUNNERS: readonly (readonly [
  string,
  (world: Simulated) => Runner,
  { requests: number; model: string | undefined },
])[] = [
  ['the runner of the SDK', ({ client }) => simulatedRunner(client), { requests: 0, model: undefined }],
  [
    'HybridRunner',
    ({ client }) => hybridRunner(new OpenAIProvider({ openAIClient: client })),
    { requests: 1, model: 'gpt-5.4' },
  ],
];

function hybridRunner(modelProvider: ModelProvider): HybridRunner {
  return new HybridRunner({ modelProvider, tracingDisabled: true });
}

/** The actions of a story. */
interface Teller {
  readonly turn: (input: string | RunState<unknown, AnyAgent>) => Promise<Result>;
  /** Reads the interrupted run back from text; as another process would, where the story says so. */
  readonly restored: (interrupted: Result) => Promise<RunState<unknown, AnyAgent>>;
}

interface Setting {
  readonly stream: boolean;
  readonly isElsewhere: boolean;
  readonly runner: Runner;
  readonly options: HybridSessionOptions;
  readonly agent?: AnyAgent;
}

/** Tells a story and gives the events and numbers of all its sessions. */
async function told(
  { stream, isElsewhere, runner, options, agent: asked = agent }: Setting,
  story: (teller: Teller) => Promise<unknown>,
): Promise<{ events: ReturnType<typeof recorder>; stats: SessionStats }> {
  const events = recorder();
  const collector = statsCollector();
  const ledger = memoryLedger();
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({
      ledger,
      conversationId,
      observers: [collector, { event: events.onEvent }],
      ...options,
    });
  let session = open();
  await story({
    turn: async (input) => {
      if (!stream) return runner.run(asked, input, { session });
      const result = await runner.run(asked, input, { session, stream: true });
      for await (const event of result) void event;
      await result.completed;
      return result;
    },
    restored: async (interrupted) => {
      const text = interrupted.state.toString();
      if (isElsewhere) session = open(session.conversationId);
      return RunState.fromString(asked, text);
    },
  });
  return { events, stats: collector.stats() };
}

/** Two payments are asked for: one is approved, the run is stored again, and the other one is refused. */
async function twoPayments({ turn, restored }: Teller): Promise<void> {
  await turn('hi');
  const asked = await restored(await turn('call pay {"to":"Ann"} call pay {"to":"Bob"}'));
  const [first] = asked.getInterruptions();
  if (first !== undefined) asked.approve(first);
  const askedAgain = await restored(await turn(asked));
  for (const interruption of askedAgain.getInterruptions()) askedAgain.reject(interruption);
  await turn(askedAgain);
  await turn('thanks');
}

describe.each(RUNNERS)('%s', (_runner, runnerOf, known) => {
  describe.each(WAYS)('%s', (_way, stream) => {
    describe.each([
      ['in the same process', false],
      ['in another process', true],
    ])('%s', (_where, isElsewhere) => {
      test.each(['shadow', 'rebuild', 'chain'] satisfies Mode[])(
        'a resumed run tells one turn for each response, in mode %s',
        async (rollout) => {
          const world = simulated({ unlink: 'none' });
          const { client } = world;
          const options = { client, rollout };
          const { events, stats } = await told(
            { stream, isElsewhere, runner: runnerOf(world), options },
            twoPayments,
          );
          const { responses } = world.simulator.snapshot();
          expect(events.of('turn').map((turn) => [turn.responseId, turn.model, turn.plans.length])).toEqual(
            responses.map(({ id }) => [id, known.model, known.requests]),
          );
          expect(stats.turns).toBe(4);
          const reasons = { no_parent: 1, extends: 3 };
          expect(stats.shadowPlans.reasons).toEqual(rollout === 'chain' ? {} : reasons);
          const planned = rollout === 'chain' ? reasons : { mode: 4 };
          expect(stats.requests.reasons).toEqual(known.requests === 0 ? {} : planned);
        },
      );
    });
  });

  test('a resumed run that asks no model tells no turn', async () => {
    const world = simulated({ unlink: 'none' });
    const options: HybridSessionOptions = { client: world.client, rollout: 'rebuild' };
    const { events } = await told(
      {
        stream: false,
        isElsewhere: true,
        runner: runnerOf(world),
        options,
        agent: new Agent({
          name: 'Assistant',
          model: 'gpt-5.4',
          tools: [pay],
          toolUseBehavior: 'stop_on_first_tool',
        }),
      },
      async ({ turn, restored }) => {
        const state = await restored(await turn('call pay {"to":"Ann"}'));
        for (const interruption of state.getInterruptions()) state.approve(interruption);
        expect((await turn(state)).finalOutput).toBe('paid Ann');
      },
    );
    const { responses } = world.simulator.snapshot();
    expect(events.of('turn').map(({ responseId }) => responseId)).toEqual(responses.map(({ id }) => id));
  });
});

/** A model that gives its responses no ID: it asks for a payment, and then says that it is done. */
class NamelessModel implements Model {
  readonly #outputs: ModelResponse['output'][] = [
    [
      {
        type: 'function_call',
        callId: 'call_1',
        name: 'pay',
        arguments: '{"to":"Ann"}',
        status: 'completed',
      },
    ],
    [assistant('done')],
  ];

  async getResponse(): Promise<ModelResponse> {
    return { usage: new Usage(), output: this.#outputs.shift() ?? [] };
  }

  getStreamedResponse(): AsyncIterable<never> {
    throw new Error('It is not asked for a stream');
  }
}

test('a resumed turn is told after the model has answered, even if its responses have no ID', async () => {
  const { client } = simulated({ unlink: 'none' });
  const model = new NamelessModel();
  const { events, stats } = await told(
    {
      stream: false,
      isElsewhere: true,
      runner: hybridRunner({ getModel: () => model }),
      options: { client, rollout: 'rebuild' },
    },
    async ({ turn, restored }) => {
      const state = await restored(await turn('pay Ann'));
      for (const interruption of state.getInterruptions()) state.approve(interruption);
      expect((await turn(state)).finalOutput).toBe('done');
    },
  );
  expect(events.of('turn').map(({ responseId, mode }) => [responseId, mode])).toEqual([
    [undefined, 'rebuild'],
    [undefined, 'rebuild'],
  ]);
  expect(stats.turns).toBe(2);
});
