import { Agent, OpenAIProvider, tool } from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, failureOf, turn, type ChainedWorld } from '../runner/flow-world.ts';
import { simulatedWire, type Wire } from '../runner/simulated-web-socket.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** A world whose models speak over a WebSocket. */
function webSocketWorld(
  stream: boolean,
): ChainedWorld & { readonly wire: Wire; readonly provider: OpenAIProvider } {
  const world = chainedWorld(stream);
  const wire = simulatedWire(world.simulator);
  vi.stubGlobal('WebSocket', wire.WebSocket);
  const provider = new OpenAIProvider({
    openAIClient: world.client,
    useResponses: true,
    useResponsesWebSocket: true,
  });
  const runner = new HybridRunner({ modelProvider: provider, tracingDisabled: true });
  return { ...world, session: world.session, runner, wire, provider };
}

const sentItems = ({ wire }: { readonly wire: Wire }): unknown[] =>
  wire.frames.map(({ previous_response_id: parent, input }) => [
    parent === undefined ? 'replay' : 'chain',
    Array.isArray(input) ? input.length : 0,
  ]);

const fieldsOf = (value: object = {}): string[] =>
  Object.entries(value)
    .flatMap(([key, field]) => (field === undefined ? [] : [key]))
    .toSorted();

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(WAYS)('%s', (_way, stream) => {
  test('a chain stays on one connection', async () => {
    const world = webSocketWorld(stream);
    for (const text of ['hi', 'call weather {}', 'thanks']) await turn(world, agent, text);
    expect(sentItems(world)).toEqual([
      ['replay', 1],
      ['chain', 1],
      ['chain', 1],
      ['chain', 1],
    ]);
    expect(world.wire.open()).toBe(1);
    await world.provider.close();
    expect(world.wire.open()).toBe(0);
  });

  test('the history is sent whole, once, if the server refuses the parent', async () => {
    const world = webSocketWorld(stream);
    await turn(world, agent, 'hi');
    for (const { id } of world.simulator.snapshot().responses) await world.client.responses.delete(id);
    const result = await turn(world, agent, 'thanks');
    expect(result.finalOutput).toContain('I see 3 items');
    expect(sentItems(world).slice(1)).toEqual([
      ['chain', 1],
      ['replay', 3],
    ]);
    expect(decisionsOf(world).at(-1)).toBe('parent_refused 3/3');
    await turn(world, agent, 'bye');
    expect(decisionsOf(world).at(-1)).toBe('extends 1/5');
  });

  test('an error of a chained request reaches the caller, and the request is not repeated', async () => {
    const world = webSocketWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'insufficient_quota', times: 1 });
    expect(await failureOf(turn(world, agent, 'thanks'))).toBe('ModelBehaviorError');
    expect(world.wire.frames).toHaveLength(2);
    expect((await turn(world, agent, 'thanks')).finalOutput).toContain('I see');
  });

  test('a response with store: false is replayed even if the connection may still know it', async () => {
    const forgetful = new Agent({ name: 'Assistant', model: 'gpt-4.1', modelSettings: { store: false } });
    const world = webSocketWorld(stream);
    for (const text of ['hi', 'thanks']) await turn(world, forgetful, text);
    expect(sentItems(world)).toEqual([
      ['replay', 1],
      ['replay', 3],
    ]);
  });

  test('a chained model returns the response of the transport', async () => {
    const world = webSocketWorld(stream);
    const results = [await turn(world, agent, 'hi'), await turn(world, agent, 'thanks')];
    const [replayed, chained] = results.map(({ rawResponses }) => rawResponses[0]);
    expect(fieldsOf(chained)).toEqual(fieldsOf(replayed));
    expect(fieldsOf(chained?.providerData)).toEqual(fieldsOf(replayed?.providerData));
    expect(chained?.usage.constructor).toBe(replayed?.usage.constructor);
    expect(chained?.usage.requests).toBe(1);
    expect(world.session).toBeInstanceOf(HybridSession);
  });
});
