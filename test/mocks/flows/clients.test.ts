import { Agent } from '@openai/agents';
import { describe, expect, it, vi } from 'vitest';
import { createSimulator, outline } from '../../../mocks/core.ts';
import type { ListenOptions } from '../../../mocks/index.ts';
import { HybridSession } from '../../../src/index.ts';
import { collect } from '../support.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

describe('the runner of a simulator', () => {
  it.each(['first', 'second'])(
    'the %s simulator of a process gets the requests of its own runner',
    async () => {
      const simulator = createSimulator();
      const session = new HybridSession({ client: simulator.client() });
      for (const text of ['hi', 'thanks']) await simulator.runner().run(agent, text, { session });
      const asked = simulator.log.filter(({ operation }) => operation === 'responses.create');
      expect(asked.map(({ context }) => outline(context ?? []))).toEqual(['u', 'u,a,u']);
    },
  );

  it('a runner takes the client and the settings that it is given', async () => {
    const simulator = createSimulator();
    const client = simulator.client({ apiKey: 'sk-other' });
    const runner = simulator.runner({ client, modelSettings: { temperature: 0.25 } });
    await simulator.runner().run(agent, 'hi');
    await runner.run(agent, 'hi');
    expect(simulator.log.map(({ tenant, body }) => [tenant, body?.['temperature']])).toEqual([
      ['tenant-1', undefined],
      ['tenant-2', 0.25],
    ]);
    expect(runner.config.tracingDisabled).toBe(true);
  });
});

describe('the client of a simulator', () => {
  it('a client ignores the environment, and two simulators are two projects', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/elsewhere');
    vi.stubEnv('OPENAI_PROJECT_ID', 'proj_env');
    vi.stubEnv('OPENAI_ORG_ID', 'org_env');
    const [one, other] = [createSimulator(), createSimulator()];
    const clients = [one.client(), one.client(), other.client()];
    vi.unstubAllEnvs();
    for (const client of clients) await client.conversations.create();
    expect([one.log.length, other.log.length]).toEqual([2, 1]);
    expect(clients.map(({ baseURL, organization }) => [baseURL, organization])).toEqual(
      clients.map(() => ['https://api.openai.com/v1', null]),
    );
    const projects = clients.map(({ project }) => project);
    expect(projects[0]).toBe(projects[1]);
    expect(new Set(projects).size).toBe(2);
  });
});

describe('the end of a simulator', () => {
  it('await using closes every server and forgets everything', async () => {
    let url = '';
    const heard: number[] = [];
    {
      await using simulator = createSimulator();
      await simulator.listen();
      ({ url } = await simulator.listen());
      await simulator.client().conversations.create();
      simulator.onRequest(() => heard.push(simulator.log.length));
      const answer = await fetch(`${url}/conversations`, {
        method: 'POST',
        headers: { authorization: 'Bearer k' },
      });
      expect(answer.status).toBe(200);
    }
    expect(heard).toEqual([2]);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('closing breaks requests that wait for an answer, and streams, also without a server', async () => {
    const simulator = createSimulator();
    const client = simulator.client({ maxRetries: 0 });
    const asked = { model: 'gpt-4.1', input: 'hi' };
    const stream = await client.responses.create({ ...asked, stream: true });
    simulator.fault('responses.create', 'no_answer');
    const waiting = Array.from({ length: 20 }, () => client.responses.create(asked));
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    const ends = waiting.map(async (end) => await end.catch(String));
    await vi.waitFor(() => expect(simulator.log).toHaveLength(21));
    await simulator.close();
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['Error: Connection error.']));
    await expect(collect({ [Symbol.asyncIterator]: () => events })).rejects.toThrow('fetch failed');
    expect((await client.responses.create(asked)).status).toBe('completed');
    expect(simulator.log).toHaveLength(1);
  });

  it('a closed server may be closed again, and closing resets the simulator', async () => {
    const simulator = createSimulator();
    const server = await simulator.listen();
    await simulator.client().conversations.create();
    await server[Symbol.asyncDispose]();
    await simulator.close();
    expect([simulator.log, simulator.snapshot().conversations]).toEqual([[], []]);
    await simulator.close();
  });
});

it('an unknown option of listen() is refused', async () => {
  await expect(createSimulator().listen({ hostname: 'localhost' } as ListenOptions)).rejects.toThrow(
    'Cannot listen: "options" has no field "hostname"; there are port, host',
  );
});

it.each([
  [{ port: 'abc' }, '"port" must be a whole number up to 65535, but it is "abc"'],
  [{ port: 99_999 }, '"port" must be a whole number up to 65535, but it is 99999'],
  [{ host: 5 }, '"host" must be a text, but it is 5'],
  [{ hosts: 'app.test' }, '"hosts" must be an array, but it is "app.test"'],
])('a place to listen of another kind is refused: %j', async (options, words) => {
  await expect(createSimulator().listen(options as ListenOptions)).rejects.toThrow(
    new RangeError(`Cannot listen: ${words}`),
  );
});
