import { Agent, RunState, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import {
  decisionsOf,
  parentsOf,
  turn,
  type AnyAgent,
  type FlowWorld,
  type Result,
} from '../runner/flow-world.ts';

const parameters = z.object({ to: z.string() });

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters,
  needsApproval: true,
  execute: ({ to }) => `paid ${to}`,
});

const look = tool({ name: 'look', description: 'Looks', parameters, execute: ({ to }) => `saw ${to}` });

const agent: AnyAgent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [pay, look] });

/** The state of the interrupted run in which its calls are decided, in this process or another. */
type Resume = (world: FlowWorld, result: Result) => Promise<RunState<unknown, AnyAgent>>;

const here: Resume = async (_world, result) => result.state;

const elsewhere: Resume = async (world, result) => {
  const text = result.state.toString();
  world.reopen();
  return RunState.fromString(agent, text);
};

async function decided(
  world: FlowWorld,
  result: Result,
  resume: Resume,
  decide: 'approve' | 'reject',
): Promise<Result> {
  const state = await resume(world, result);
  for (const interruption of state.getInterruptions()) state[decide](interruption);
  return turn(world, agent, state);
}

describe.each(WAYS)('%s', (_way, stream) => {
  describe.each([
    ['in the same process', here],
    ['in another process', elsewhere],
  ])('%s', (_where, resume) => {
    test.each(['approve', 'reject'] as const)(
      'a chained run continues from the call after a human chose %s',
      async (decide) => {
        const world = await inBothWorlds(stream, async (world) => {
          await turn(world, agent, 'hi');
          const interrupted = await turn(world, agent, 'call pay {"to":"Ann"}');
          const result = await decided(world, interrupted, resume, decide);
          return [result.finalOutput, (await turn(world, agent, 'thanks')).finalOutput];
        });
        expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
        const ids = world.simulator.snapshot().responses.map(({ id }) => id);
        expect(parentsOf(world)).toEqual([undefined, ...ids.slice(0, -1)]);
      },
    );

    test('a chained run sends the outputs of immediate and approved calls together', async () => {
      const world = await inBothWorlds(stream, async (world) => {
        const interrupted = await turn(world, agent, 'call look {"to":"Bob"} call pay {"to":"Ann"}');
        return (await decided(world, interrupted, resume, 'approve')).finalOutput;
      });
      expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 2/5']);
    });

    test('a chained run leaves no call open if the user says something else', async () => {
      const world = await inBothWorlds(stream, async (world) => {
        await turn(world, agent, 'hi');
        const interrupted = await turn(world, agent, 'call pay {"to":"Ann"}');
        await resume(world, interrupted);
        return (await turn(world, agent, 'never mind')).finalOutput;
      });
      // The SDK leaves out the open call, so that the first turn's response is the last that matches.
      expect(decisionsOf(world).at(-1)).toBe('extends 2/4');
      expect(parentsOf(world).at(-1)).toBe(world.simulator.snapshot().responses[0]?.id);
    });
  });
});
