import { describe, expect, it } from 'vitest';
import { createSimulator, type SimulatorOptions } from '../../../mocks/index.ts';
import { profileNames } from '../../../mocks/profiles/profile-table.ts';
import { clientOf, refusalOf } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

describe('a reset', () => {
  it('a reset clears objects, IDs, time, log and faults', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create(hi);
    simulator.fault('*', 'server_error');
    simulator.advance(60_000);
    simulator.reset();
    expect(simulator.log).toEqual([]);
    expect(simulator.snapshot()).toEqual({ conversations: [], responses: [], items: [], accounts: [] });
    expect(await client.responses.create(hi)).toEqual(first);
  });

  it('a reset clears the state of unlinking', async () => {
    const simulator = createSimulator({ unlink: 'every-turn' });
    const client = clientOf(simulator);
    const { output_text: text } = await client.responses.create({ ...hi, model: 'gpt-5.4' });
    simulator.reset();
    const { id } = await client.conversations.create({ items: [{ role: 'assistant', content: 'old' }] });
    await client.conversations.items.create(id, { items: [{ role: 'assistant', content: text }] });
    expect((await client.conversations.items.list(id)).data).toHaveLength(2);
  });
});

describe('a snapshot', () => {
  it('a snapshot has conversations, responses and items as plain data that stays unchanged', async () => {
    const simulator = createSimulator({ lag: { reads: 1 } });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ metadata: { a: 'b' } });
    const response = await client.responses.create({ ...hi, conversation: id });
    const snapshot = simulator.snapshot();
    const [input] = snapshot.responses[0]?.input ?? [];
    const ids = [input, ...response.output].map((item) => item?.id);
    const createdAt = expect.any(Number) as unknown;
    expect(snapshot).toEqual({
      conversations: [
        {
          id,
          tenant: 'tenant-1',
          createdAt,
          metadata: { a: 'b' },
          items: [],
          pending: [input, ...response.output],
          appends: [{ ids, visibleAt: createdAt, readsLeft: 1 }],
        },
      ],
      responses: [
        {
          id: response.id,
          tenant: 'tenant-1',
          model: 'gpt-4.1',
          status: 'completed',
          previousResponseId: undefined,
          conversationId: id,
          input: [input],
          output: response.output,
          context: [input],
          createdAt,
          body: expect.objectContaining({ id: response.id, output: response.output }) as unknown,
          isReplayable: false,
        },
      ],
      items: [input, ...response.output],
      accounts: [{ tenant: 'tenant-1', itemIds: ids }],
    });
    const before = JSON.stringify(snapshot);
    await client.responses.create({ ...hi, conversation: id });
    expect(JSON.stringify(snapshot)).toBe(before);
  });
});

describe('the clock', () => {
  it('the clock can be set by the caller', async () => {
    let now = Date.UTC(2030, 0, 1);
    const simulator = createSimulator({ now: () => now });
    const client = clientOf(simulator);
    const first = await client.responses.create(hi);
    now += 5000;
    const second = await client.responses.create(hi);
    simulator.advance(7000);
    const third = await client.responses.create(hi);
    expect([second.created_at - first.created_at, third.created_at - second.created_at]).toEqual([5, 7]);
    expect(simulator.now()).toBe(now + 7000);
  });
});

describe('latency', () => {
  it('a stream whose client gave up before it began does not keep its conversation locked', async () => {
    const simulator = createSimulator({ latency: 30 });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const done = new Promise((resolve) => simulator.onRequest(resolve));
    const create = client.responses.create({ ...hi, conversation: id, stream: true }, { timeout: 5 });
    await expect(create).rejects.toThrow('Request timed out.');
    await done;
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'completed' }]);
    expect((await client.responses.create({ ...hi, conversation: id })).status).toBe('completed');
  });

  it('a request whose client gave up takes effect all the same', async () => {
    const simulator = createSimulator({ latency: 30 });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const done = new Promise((resolve) => simulator.onRequest(resolve));
    const items = [{ role: 'user' as const, content: 'hi' }];
    await expect(client.conversations.items.create(id, { items }, { timeout: 5 })).rejects.toThrow(
      'Request timed out.',
    );
    await done;
    expect(simulator.snapshot().conversations[0]?.items).toHaveLength(1);
  });
});

describe('options', () => {
  it.each<[SimulatorOptions, string]>([
    [{ latency: -1 }, '"latency" must be at least 0, but it is -1'],
    [{ lag: -1 }, '"lag" must be at least 0, but it is -1'],
    [{ lag: { reads: -1 } }, '"lag" must be at least 0, but it is -1'],
    [{ retain: 0 }, '"retain" must be at least 1, but it is 0'],
    [{ contextWindow: Number.NaN }, '"contextWindow" must be at least 1, but it is NaN'],
    [{ seed: 1.5 }, '"seed" must be an integer, but it is 1.5'],
    [{ unlink: 'always' } as object, '"unlink" cannot be "always"; there are every-turn, id-replay, none'],
    [{ inputItems: 'all' } as object, '"inputItems" cannot be "all"; there are own, inherited'],
    [{ now: 'today' } as object, '"now" must be a function, but it is "today"'],
    [{ respond: 'hi' } as object, '"respond" must be a function, but it is "hi"'],
    [{ apiKeys: 'sk-1' } as object, '"apiKeys" must be an array, but it is "sk-1"'],
    [{ unlinkModels: 'gpt-5' } as object, '"unlinkModels" must be an array, but it is "gpt-5"'],
    [{ latency: '100' } as object, '"latency" must be a number, but it is "100"'],
    [{ contextWindow: '1000' } as object, '"contextWindow" must be a number, but it is "1000"'],
    [{ lag: '1s' } as object, '"lag" must be a number, but it is "1s"'],
    [{ lag: { read: 2 } } as object, '"lag" has no field "read"; there are reads'],
    [{ pace: 5 } as object, '"pace" must be an object, but it is 5'],
    [{ apiKeys: [5] } as object, '"apiKeys" must be texts, but it is 5'],
    [{ unlinkModels: [5] } as object, '"unlinkModels" must be names and patterns, but it is 5'],
    [{ profile: 5 } as object, `its "profile" cannot be 5; there are ${profileNames.join(', ')}`],
    [null as never, '"options" must be an object, but it is null'],
    [{ onAbort: 'drop' } as object, '"onAbort" cannot be "drop"; there are drop-turn, keep-turn'],
  ])('the option %j is refused', (options, words) => {
    expect(() => createSimulator(options)).toThrow(new RangeError(`Cannot create the simulator: ${words}`));
  });
});

describe('a clock that is told no time', () => {
  it.each([Number.NaN, '5', undefined, Infinity])('the clock refuses to advance by %j', async (time) => {
    const simulator = createSimulator();
    expect(() => simulator.advance(time as number)).toThrow(RangeError);
    expect(simulator.now()).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('an option that there is not', () => {
  it('an unknown option is refused, and the right ones are named', () => {
    const misspelt = { unlinkModel: ['gpt-5.4'] } as object;
    expect(() => createSimulator(misspelt)).toThrow(RangeError);
    expect(() => createSimulator(misspelt)).toThrow(
      /^Cannot create the simulator: "options" has no field "unlinkModel"; there are .*unlinkModels/,
    );
  });

  it('an option of undefined counts as absent', () => {
    const absent = { lag: undefined, respond: undefined, unlink: undefined } as object;
    expect(createSimulator(absent).log).toEqual([]);
  });
});

describe('with retain', () => {
  it('retain keeps only the newest objects and log entries', async () => {
    const simulator = createSimulator({ retain: 10, unlink: 'none' });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const first = await client.responses.create(hi);
    let previous = first.id;
    for (let turn = 0; turn < 300; turn += 1) {
      const response = await client.responses.create({ ...hi, previous_response_id: previous });
      await client.conversations.items.create(id, { items: [{ role: 'user', content: `${turn}` }] });
      if (turn % 3 === 0) await clientOf(simulator, `sk-${turn}`).conversations.create();
      previous = response.id;
    }
    const { conversations, responses, items } = simulator.snapshot();
    expect(simulator.log).toHaveLength(10);
    expect(conversations.length).toBeLessThanOrEqual(100);
    expect(responses).toHaveLength(10);
    expect(items.length).toBeLessThanOrEqual(200);
    expect(responses.at(-1)?.context.length).toBeLessThanOrEqual(201);
    expect(await refusalOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
    expect((await client.responses.create({ ...hi, previous_response_id: previous })).output_text).toContain(
      'I see',
    );
  });
});
