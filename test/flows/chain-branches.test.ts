import { Agent, tool, type Session } from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { HybridSession } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, parentsOf, turn, type ChainedWorld } from '../runner/flow-world.ts';
import { assistant, user } from '../support/conversation.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** Takes the newest items back. */
async function undo(session: Session, items: number): Promise<void> {
  for (let left = items; left > 0; left -= 1) await session.popItem();
}

function responseIds({ simulator }: ChainedWorld): string[] {
  return simulator.snapshot().responses.map(({ id }) => id);
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(WAYS)('%s', (_way, stream) => {
  test('a chained turn continues from the response before the items that were popped', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      for (const text of ['hi', 'what can you do?', 'give me one example']) await turn(here, agent, text);
      await undo(here.session, 4);
      return (await turn(here, agent, 'give me two')).finalOutput;
    });
    expect(parentsOf(world).at(-1)).toBe(responseIds(world)[0]);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/3');
  });

  test('a question that was popped and repeated continues from the same response', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await turn(here, agent, 'what can you do?');
      await undo(here.session, 1);
      await undo(here.session, 1);
      return (await turn(here, agent, 'what can you do?')).finalOutput;
    });
    const ids = responseIds(world);
    expect(parentsOf(world)).toEqual([undefined, ids[0], ids[0]]);
  });

  test('either branch of a turn can be continued', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await turn(here, agent, 'left');
      await undo(here.session, 2);
      await turn(here, agent, 'right');
      await turn(here, agent, 'further right');
      await undo(here.session, 4);
      await here.session.addItems([user('left')]);
      await here.session.addItems([assistant('I went left by myself')]);
      return (await turn(here, agent, 'further left')).finalOutput;
    });
    const ids = responseIds(world);
    expect(parentsOf(world)).toEqual([undefined, ids[0], ids[0], ids[2], ids[0]]);
  });

  test('a turn can continue from the middle of an earlier turn', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await turn(here, agent, 'call weather {} then call weather {}');
      // The answer and the second round go; the first round stays.
      await undo(here.session, 3);
      return (await turn(here, agent, 'thanks')).finalOutput;
    });
    // The response that made the first call ends with it; its output is sent once more.
    expect(parentsOf(world).at(-1)).toBe(responseIds(world)[1]);
    expect(decisionsOf(world).at(-1)).toBe('extends 2/6');
  });

  test('a history with an edited beginning is replayed, then chained', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await turn(here, agent, 'what can you do?');
      const items = await here.session.getItems();
      await here.session.clearSession();
      await here.session.addItems([user('hello'), ...items.slice(1).map((item) => withoutId(item))]);
      await turn(here, agent, 'thanks');
      return (await turn(here, agent, 'bye')).finalOutput;
    });
    expect(decisionsOf(world).slice(2)).toEqual(['no_parent 5/5', 'extends 1/7']);
  });

  test('a cleared session begins a new chain', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      await here.session.clearSession();
      await turn(here, agent, 'hi');
      return (await turn(here, agent, 'thanks')).finalOutput;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'no_parent 1/1', 'extends 1/3']);
  });

  test('another process continues from the recorded response', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      for (const text of ['hi', 'call weather {}', 'thanks']) {
        await turn(here, agent, text);
        here.reopen();
      }
      return (await turn(here, agent, 'bye')).finalOutput;
    });
    expect(decisionsOf(world)).toEqual([
      'no_parent 1/1',
      'extends 1/3',
      'extends 1/5',
      'extends 1/7',
      'extends 1/9',
    ]);
  });

  test('any process begins a new chain before the oldest response of the chain expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const world = chainedWorld(stream);
    for (let week = 0; week < 7; week += 1) {
      await turn(world, agent, `week ${week}`);
      vi.setSystemTime(Date.now() + 7 * 24 * 60 * 60 * 1000);
      world.reopen();
    }
    expect(decisionsOf(world).map((decision) => decision.split(' ')[0])).toEqual([
      'no_parent',
      'extends',
      'extends',
      'extends',
      'extends',
      'expired',
      'extends',
    ]);
  });

  test('a turn continues from the newest response in common after another process went on', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    const { session, events } = world;
    world.reopen();
    await turn(world, agent, 'from the second process');
    const first = { ...world, session };
    await turn(first, agent, 'from the first process');
    expect(session).toBeInstanceOf(HybridSession);
    expect(parentsOf(world).at(-1)).toBe(responseIds(world)[1]);
    expect(decisionsOf({ ...first, events }).at(-1)).toBe('extends 1/5');
  });
});

function withoutId<T extends object>(item: T): T {
  const copy = { ...item };
  Reflect.deleteProperty(copy, 'id');
  return copy;
}
