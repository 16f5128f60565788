import { Agent, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LogEntry } from '../../mocks/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, replayedWorld, turn, type FlowWorld } from '../runner/flow-world.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const TURNS = 30;

/** The requests that each of many turns makes until its answer is there. */
async function requestsByTurn(world: FlowWorld): Promise<LogEntry[][]> {
  const turns: LogEntry[][] = [];
  for (let index = 0; index < TURNS; index += 1) {
    const from = world.simulator.log.length;
    await turn(world, agent, `question ${String(index).padStart(3, '0')}`);
    turns.push(world.simulator.log.slice(from));
  }
  return turns;
}

const bytesOf = (requests: readonly LogEntry[]): number =>
  requests.reduce((sum, { requestBytes }) => sum + requestBytes, 0);

const names = (entries: readonly LogEntry[]): (string | undefined)[] =>
  entries.map(({ operation }) => operation);

describe.each(WAYS)('%s', (_way, stream) => {
  test("a turn asks the model and then writes, with mirror: 'await'", async () => {
    const turns = await requestsByTurn(chainedWorld(stream, { session: { bookmark: false } }));
    for (const requests of turns.slice(1)) {
      expect(names(requests)).toEqual(['responses.create', 'conversations.items.create']);
    }
  });

  test("a turn asks the model and waits for no other request, with mirror: 'background'", async () => {
    const world = chainedWorld(stream, { session: { mirror: 'background', bookmark: false } });
    await turn(world, agent, 'hi');
    await world.session.flush();
    // A server that takes no items any more would delay any request that waits for it.
    world.simulator.fault('conversations.items.create', 'no_answer');
    const from = world.simulator.log.length;
    const turns = await requestsByTurn(world);
    const asked = turns.map(
      (requests) => names(requests).filter((name) => name === 'responses.create').length,
    );
    expect(asked).toEqual(turns.map(() => 1));
    // One write that hangs, and no read at all.
    await expect
      .poll(() => names(world.simulator.log.slice(from)).filter((name) => name !== 'responses.create'))
      .toEqual(['conversations.items.create']);
  });

  test('the upload of the thirtieth turn is no larger than of the second', async () => {
    const [chained, replayed] = [
      chainedWorld(stream, { session: { bookmark: false } }),
      replayedWorld(stream),
    ];
    const ours = (await requestsByTurn(chained)).map((each) => bytesOf(each));
    const theirs = (await requestsByTurn(replayed)).map((each) => bytesOf(each));
    const [, second = 0] = ours;
    const last = ours.at(-1) ?? 0;
    // Only the answers, which say how much the model saw, are a few characters longer.
    expect(last).toBeLessThan(second * 1.5);
    const question = ours
      .map((_, index) => index)
      .slice(1)
      .map((index) => createBytes(chained, index));
    expect(new Set(question).size).toBe(1);
    expect(theirs.at(-1) ?? 0).toBeGreaterThan(10 * (theirs[1] ?? 0));
  });
});

/** The size of the request for an answer. */
function createBytes({ simulator }: FlowWorld, index: number): number | undefined {
  return simulator.log.filter(({ operation }) => operation === 'responses.create')[index]?.requestBytes;
}

test('each step of a turn costs one request, and the turn costs one write', async () => {
  const weather = tool({
    name: 'weather',
    description: 'The weather',
    parameters: z.object({}),
    execute: () => 'sunny',
  });
  const busy = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
  const world = chainedWorld(false, { session: { bookmark: false } });
  await turn(world, busy, 'hi');
  const from = world.simulator.log.length;
  await turn(world, busy, 'call weather {} then call weather {}');
  expect(names(world.simulator.log.slice(from))).toEqual([
    'responses.create',
    'responses.create',
    'responses.create',
    'conversations.items.create',
  ]);
});
