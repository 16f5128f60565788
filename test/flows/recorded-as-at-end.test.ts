import { Agent, handoff, RunState, tool, type AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HybridRunner, type HybridRunnerConfig, type HybridSessionOptions } from '../../src/index.ts';
import { recordedWorld, type RecordedWorld } from './support/recorded-runs.ts';

const parameters = z.object({});

/** Needs an approval. */
const wait = tool({
  name: 'wait',
  description: 'Waits',
  parameters,
  needsApproval: true,
  execute: () => 'waited',
});

type Story = (world: RecordedWorld, stream: boolean) => Promise<unknown>;

/** Runs an agent to its end, streamed or not. */
async function ended(
  { runner, session, agent: usual }: RecordedWorld,
  input: string | AgentInputItem[] | RunState<undefined, Agent>,
  stream: boolean,
  agent: Agent = usual,
): Promise<{ readonly state: RunState<undefined, Agent> }> {
  if (!stream) return runner.run(agent, input, { session });
  const streamed = await runner.run(agent, input, { session, stream: true });
  await streamed.completed;
  return streamed;
}

/** Runs that end well. */
const STORIES: Readonly<Record<string, Story>> = {
  answers: async (world, stream) => {
    await ended(world, 'hi', stream);
    await ended(world, 'how are you?', stream);
    await ended(world, 'how are you?', stream);
  },
  'several input items': async (world, stream) => {
    await ended(
      world,
      [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      ],
      stream,
    );
    await ended(world, 'thanks', stream);
  },
  tools: async (world, stream) => {
    await ended(world, 'find', stream);
    world.isBroken = false;
    await ended(world, 'find and break', stream);
    await ended(world, 'thanks', stream);
  },
  'a handoff': async (world, stream) => {
    const other = new Agent({ name: 'Other', model: 'gpt-4.1', tools: [...world.tools] });
    const first = new Agent({
      name: 'First',
      model: 'gpt-4.1',
      handoffs: [handoff(other, { toolNameOverride: 'find' })],
    });
    await ended(world, 'find', stream, first);
    await ended(world, 'thanks', stream, other);
  },
  'an approval': async (world, stream) => {
    const agent = world.agent.clone({ tools: [...world.tools, wait] });
    await ended(world, 'hi', stream, agent);
    const { state } = await ended(world, 'find and wait', stream, agent);
    const stored = await RunState.fromString<undefined, Agent>(agent, state.toString());
    for (const interruption of stored.getInterruptions()) stored.approve(interruption);
    await ended(world, stored, stream, agent);
    await ended(world, 'thanks', stream, agent);
  },
  'an agent whose output is guarded': async (world, stream) => {
    const guard = { name: 'guard', execute: async () => ({ tripwireTriggered: false, outputInfo: {} }) };
    const agent = world.agent.clone({
      tools: [...world.tools, wait],
      outputGuardrails: [guard],
      inputGuardrails: [guard],
    });
    await ended(world, 'find', stream, agent);
    const { state } = await ended(world, 'wait', stream, agent);
    for (const interruption of state.getInterruptions()) state.approve(interruption);
    await ended(world, state, stream, agent);
    await ended(world, 'thanks', stream, agent);
  },
};

const OPTIONS: readonly (HybridSessionOptions & { readonly history?: HybridRunnerConfig['history'] })[] = [
  {},
  { history: 'reference' },
  { rollout: 'rebuild' },
  { rollout: 'off' },
  { mirror: 'off' },
];

describe.each(Object.keys(STORIES).flatMap((story) => [false, true].map((stream) => ({ story, stream }))))(
  '$story (streamed: $stream)',
  ({ story, stream }) => {
    it.each(OPTIONS)(
      'a recorded run that ends well leaves the same ledger as one that is not, with %j',
      async (given) => {
        const { history, ...options } = given;
        const lives = (['at-end', 'as-it-goes'] as const).map(async (record) => {
          const world = recordedWorld({ record, history }, options);
          await STORIES[story]?.(world, stream);
          await world.session.flush();
          const { entries, responses, drafts, ...state } = await world.state();
          expect(drafts).toEqual({ open: [], interrupted: [] });
          return {
            entries: entries.map(({ seq, kind, digest, item, context }) => ({
              seq,
              kind,
              digest,
              item: comparable(item),
              context,
            })),
            responses: responses.map(({ context, history: at, nextSeq, parent }) => [
              context?.digest,
              at,
              nextSeq,
              parent === undefined,
            ]),
            pending: state.unmirrored.size,
            requests: world.simulator.log
              .map(({ operation }) => operation)
              .filter((name) => name === 'responses.create'),
            plans: world.simulator.log
              .flatMap(({ operation, body }) =>
                operation === 'responses.create'
                  ? [[body?.['previous_response_id'] === undefined, body?.['input']]]
                  : [],
              )
              .map(([isReplay, input]) => [isReplay, Array.isArray(input) ? input.length : input]),
          };
        });
        const [atEnd, asItGoes] = await Promise.all(lives);
        expect(atEnd?.entries.length).toBeGreaterThan(2);
        expect(asItGoes).toEqual(atEnd);
      },
    );
  },
);

/** An item without the IDs that a server gives. */
function comparable(item: AgentInputItem | undefined): unknown {
  return JSON.parse(JSON.stringify(item ?? null), (key, value: unknown) =>
    key === 'id' ? undefined : value,
  );
}

it('the default of a runner is to record at the end', () => {
  expect(() => new HybridRunner({ record: 'sometimes' as never })).toThrow(/record/);
});
