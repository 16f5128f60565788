import { Agent, retryPolicies, tool } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Fault, SimulatorCore } from '../../mocks/index.ts';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, replayedWorld, turn, type FlowWorld } from '../runner/flow-world.ts';
import { CONTINUING } from '../support/profiles.ts';
import { simulatedClient } from '../support/simulated.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** Which response each request was to continue, and how it was answered. */
function attempts({ simulator }: { readonly simulator: SimulatorCore }): string[] {
  return simulator.log.flatMap(({ operation, body, status }) => {
    if (operation !== 'responses.create') return [];
    return [`${body?.['previous_response_id'] === undefined ? 'replay' : 'chain'} ${status}`];
  });
}

const isChained: NonNullable<Extract<Fault, { when?: unknown }>['when']> = ({ body }) =>
  typeof body['previous_response_id'] === 'string';

/** Every form in which a server is known to refuse a parent before it streams. */
const REFUSALS: readonly (readonly [string, Fault, string])[] = [
  ['not found', { name: 'previous_response_not_found', times: 1 }, 'not found'],
  ['expired', { name: 'expired_response', times: 1 }, 'not found'],
  [
    'not stored, by an organisation that keeps no data',
    {
      status: 400,
      code: 'unsupported_parameter',
      param: 'previous_response_id',
      message: 'Previous response cannot be used for this organization due to Zero Data Retention.',
      times: 1,
      when: isChained,
    },
    'not stored',
  ],
  [
    'known by its message alone',
    { status: 404, message: "Response with id 'resp_gone' not found.", times: 1, when: isChained },
    'not found',
  ],
  [
    'not supported',
    { status: 400, message: 'Unsupported parameter: previous_response_id', times: 1, when: isChained },
    'not supported',
  ],
  [
    'torn from the outputs of its calls',
    { name: 'no_tool_output', times: 1, when: isChained },
    'call without output',
  ],
  [
    'torn from the calls of its outputs',
    { name: 'no_tool_call', times: 1, when: isChained },
    'output without call',
  ],
  [
    'holding an item that was sent again',
    { name: 'duplicate_item', times: 1, when: isChained },
    'item twice',
  ],
];

describe.each(WAYS)('%s', (_way, stream) => {
  test.each(REFUSALS)(
    'the history is sent whole, once, if the parent is %s',
    async (_what, fault, reason) => {
      const world = await inBothWorlds(stream, async (here) => {
        await turn(here, agent, 'hi');
        if ('events' in here) here.simulator.fault('responses.create', fault);
        const second = await turn(here, agent, 'call weather {}');
        return [second.finalOutput, (await turn(here, agent, 'thanks')).finalOutput];
      });
      expect(attempts(world)).toEqual([
        'replay 200',
        expect.stringMatching(/^chain 4/),
        'replay 200',
        'chain 200',
        'chain 200',
      ]);
      expect(decisionsOf(world)).toEqual([
        'no_parent 1/1',
        'extends 1/3',
        'parent_refused 3/3',
        'extends 1/5',
        'extends 1/7',
      ]);
      const [first] = world.simulator.snapshot().responses;
      expect(world.events).toContainEqual(
        expect.objectContaining({ code: 'parent_refused', ids: [first?.id], reason }),
      );
    },
  );

  test('a deleted response and an expired one are noticed', async () => {
    const world = await inBothWorlds(
      stream,
      async (here) => {
        await turn(here, agent, 'hi');
        if ('events' in here) {
          for (const { id } of here.simulator.snapshot().responses) await here.client.responses.delete(id);
        }
        await turn(here, agent, 'what can you do?');
        here.simulator.advance(31 * 24 * 60 * 60 * 1000);
        await turn(here, agent, 'thanks');
        return (await turn(here, agent, 'bye')).finalOutput;
      },
      { profiles: CONTINUING },
    );
    expect(attempts(world)).toEqual([
      'replay 200',
      'chain 400',
      'replay 200',
      'chain 400',
      'replay 200',
      'chain 200',
    ]);
  });

  test('a refusal in the middle of a turn is followed by a replay', async () => {
    const world = await inBothWorlds(stream, async (here) => {
      await turn(here, agent, 'hi');
      if ('events' in here) {
        here.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1, skip: 1 });
      }
      return (await turn(here, agent, 'call weather {} then call weather {}')).finalOutput;
    });
    expect(attempts(world)).toEqual(['replay 200', 'chain 200', 'chain 400', 'replay 200', 'chain 200']);
  });

  test('a refused parent is not tried again, by this process or by another', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await turn(world, agent, 'what can you do?');
    for (const reopen of [false, true]) {
      if (reopen) world.reopen();
      await world.session.popItem();
      await world.session.popItem();
      await turn(world, agent, 'what else can you do?');
    }
    expect(decisionsOf(world).slice(2)).toEqual([
      'parent_refused 3/3',
      'parent_refused 3/3',
      'parent_refused 3/3',
    ]);
    expect(attempts(world).filter((attempt) => attempt === 'chain 400')).toHaveLength(1);
  });

  test('an earlier response is continued if the server refused the newest', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    await turn(world, agent, 'what can you do?');
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    await turn(world, agent, 'give me one example');
    await world.session.popItem();
    await world.session.popItem();
    await turn(world, agent, 'give me two');
    expect(decisionsOf(world).at(-1)).toBe('extends 3/5');
    expect(attempts(world).at(-1)).toBe('chain 200');
  });

  test('a refusal of the full input reaches the caller without a third request', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    world.simulator.fault('responses.create', { name: 'no_tool_output', times: 2 });
    await expect(turn(world, agent, 'thanks')).rejects.toThrow('No tool output found');
    expect(attempts(world)).toEqual(['replay 200', 'chain 400', 'replay 400']);
  });

  test('an organisation without data retention is never asked to continue', async () => {
    const world = chainedWorld(stream, { simulator: { profile: 'zdr' } });
    for (const text of ['hi', 'call weather {}', 'thanks']) await turn(world, agent, text);
    expect(attempts(world)).toEqual(['replay 200', 'replay 200', 'replay 200', 'replay 200']);
    expect(
      decisionsOf(world)
        .slice(1)
        .every((decision) => decision.startsWith('not_stored')),
    ).toBe(true);
  });

  test.each<[string, Fault]>([
    ['a rate limit', { name: 'rate_limit', times: 1 }],
    ['a quota', { name: 'insufficient_quota', times: 1 }],
    ['an input that is too long', { name: 'context_length_exceeded', times: 1 }],
    [
      'an item that is not stored',
      {
        status: 404,
        message:
          "Item with id 'rs_1' not found. Items are not persisted for Zero Data Retention organizations.",
        param: 'input',
        times: 1,
      },
    ],
    [
      'a wrong parameter',
      { status: 400, param: 'tools[0].name', code: 'invalid_value', message: 'Invalid value', times: 1 },
    ],
    [
      'a wrong key',
      { status: 401, message: 'Incorrect API key provided', code: 'invalid_api_key', times: 1 },
    ],
  ])('an error of a chained request reaches the caller unchanged: %s', async (_what, fault) => {
    const failure = async (world: FlowWorld): Promise<unknown> => {
      await turn(world, agent, 'hi');
      world.simulator.fault('responses.create', fault);
      try {
        await turn(world, agent, 'thanks');
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const world = chainedWorld(stream);
    const [ours, theirs] = [await failure(world), await failure(replayedWorld(stream))];
    expect(factsOf(ours)).toEqual(factsOf(theirs));
    expect(attempts(world)).toHaveLength(2);
  });

  test("a chained request keeps the SDK's retries", async () => {
    const patient = new Agent({
      name: 'Assistant',
      model: 'gpt-4.1',
      modelSettings: {
        retry: {
          maxRetries: 2,
          backoff: { initialDelayMs: 1 },
          policy: retryPolicies.httpStatus([500, 503]),
        },
      },
    });
    const world = chainedWorld(stream);
    await turn(world, patient, 'hi');
    world.simulator.fault('responses.create', { name: 'server_error', times: 1 });
    await turn(world, patient, 'thanks');
    expect(attempts(world)).toEqual(['replay 200', 'chain 500', 'chain 200']);
    // A refusal is no failure of the request: the remaining retries belong to the replayed one.
    world.simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
    world.simulator.fault('responses.create', {
      name: 'overloaded',
      times: 1,
      when: (request) => !isChained(request),
    });
    await turn(world, patient, 'bye');
    expect(attempts(world).slice(3)).toEqual(['chain 400', 'replay 503', 'replay 200']);
  });

  test("a chained request keeps the client's retries", async () => {
    const { simulator } = chainedWorld(stream);
    const client = simulatedClient(simulator, 2);
    const world = { simulator, client, stream, reopen: () => undefined };
    const session = new HybridSession({ client });
    const runner = new HybridRunner({ tracingDisabled: true });
    await turn({ ...world, session, runner }, agent, 'hi');
    simulator.fault('responses.create', { status: 500, headers: { 'retry-after-ms': '1' }, times: 2 });
    await turn({ ...world, session, runner }, agent, 'thanks');
    expect(attempts({ simulator })).toEqual(['replay 200', 'chain 500', 'chain 500', 'chain 200']);
  });
});

test.each([
  ['by its code', { code: 'previous_response_not_found', message: 'gone' }],
  ['by its message', { message: "Previous response with id 'resp_1' not found." }],
])('the history is sent whole if a stream refuses the parent after its start, %s', async (_how, details) => {
  const world = chainedWorld(true);
  await turn(world, agent, 'hi');
  world.simulator.fault('responses.create', { name: 'failed_response', times: 1, ...details });
  const result = await world.runner.run(agent, 'thanks', { session: world.session, stream: true });
  const started: unknown[] = [];
  for await (const event of result) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'response_started')
      started.push(event);
  }
  expect(result.finalOutput).toContain('Answer 2');
  expect(attempts(world)).toEqual(['replay 200', 'chain 200', 'replay 200']);
  // The reader saw no event of the refused answer.
  expect(started).toHaveLength(1);
});

function factsOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message } = error;
  const fields = ['status', 'code', 'param', 'type', 'error'].map(
    (key) => Reflect.get(error, key) as unknown,
  );
  return { class: error.constructor.name, name, message, fields };
}
