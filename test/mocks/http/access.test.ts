import { request as httpRequest } from 'node:http';
import OpenAI, { AzureOpenAI } from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimulator, type ListenOptions, type Simulator } from '../../../mocks/core.ts';
import { ask, clientOf, collect, refusalOf } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

interface Answered {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

describe('a listening simulator', () => {
  let simulator: Simulator;
  let port: number;

  beforeEach(() => {
    simulator = createSimulator();
  });

  afterEach(() => simulator.close());

  const listening = async (options: ListenOptions = {}): Promise<void> => {
    ({ port } = await simulator.listen(options));
  };

  /** Sends any header, also `host`, which `fetch` does not. */
  const send = async (method: string, headers: Record<string, string>): Promise<Answered> =>
    new Promise((resolve, reject) => {
      const path = '/v1/conversations';
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      });
      request.on('error', reject);
      request.end();
    });

  const asHost = async (host: string): Promise<Answered> =>
    send('POST', { host, authorization: 'Bearer sk-x', 'content-length': '0' });

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST:80', 'api.localhost:1', '10.1.2.3', '[::1]:8787'])(
    'the host %s is served',
    async (host) => {
      await listening();
      expect((await asHost(host)).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'no host/',
  ])('the host %s is refused, since its name may have been pointed at this machine', async (host) => {
    await listening({ hosts: ['known.example'] });
    const { status, body } = await asHost(host);
    expect([status, JSON.parse(body)]).toMatchObject([403, { error: { code: 'host_not_allowed' } }]);
    expect(body).toContain('listen()');
    expect(simulator.log).toEqual([]);
  });

  it('a host that is named is served', async () => {
    await listening({ hosts: ['Host.Docker.Internal'] });
    expect((await asHost('host.docker.internal:8787')).status).toBe(200);
  });

  it.each(['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:5173', 'http://app.localhost'])(
    'a page of this machine (%s) may ask, and read the answer',
    async (origin) => {
      await listening();
      const asked = {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, x-a',
      };
      const first = await send('OPTIONS', asked);
      expect(first).toMatchObject({
        status: 204,
        headers: {
          'access-control-allow-origin': origin,
          'access-control-allow-headers': 'authorization, x-a',
          'access-control-allow-methods': 'GET, POST, DELETE',
          vary: 'origin',
        },
      });
      const answer = await send('POST', { origin, authorization: 'Bearer sk-x', 'content-length': '0' });
      expect(answer.headers['access-control-allow-origin']).toBe(origin);
      const refused = await send('POST', { origin, 'content-length': '0' });
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);
      expect(simulator.log).toHaveLength(2);
    },
  );

  it.each([
    ['https://evil.example', {}, undefined],
    ['null', {}, undefined],
    ['http://localhost.evil.example', {}, undefined],
    ['https://app.test', { origins: ['https://app.test'] }, 'https://app.test'],
    ['https://app.test:1', { origins: ['https://app.test'] }, undefined],
    ['null', { origins: ['*'] }, 'null'],
  ])('the origin %s with the options %j may read answers: %s', async (origin, options, allowed) => {
    await listening(options);
    const preflight = await send('OPTIONS', { origin, 'access-control-request-method': 'POST' });
    const answer = await send('POST', { origin, authorization: 'Bearer sk-x', 'content-length': '0' });
    expect([preflight, answer].map(({ headers }) => headers['access-control-allow-origin'])).toEqual([
      allowed,
      allowed,
    ]);
    expect(preflight.status).toBe(allowed === undefined ? 405 : 204);
  });
});

describe('keys and paths', () => {
  it('a client of Azure finds the simulator by its key and its path', async () => {
    await using simulator = createSimulator({ apiKeys: ['azure-key'] });
    const { port } = await simulator.listen();
    const azure = new AzureOpenAI({
      apiKey: 'azure-key',
      apiVersion: '2025-04-01-preview',
      endpoint: `http://127.0.0.1:${port}`,
      maxRetries: 0,
    });
    const first = await azure.responses.create(hi);
    await collect(await azure.responses.create({ ...hi, previous_response_id: first.id, stream: true }));
    const { id } = await azure.conversations.create();
    expect((await azure.conversations.items.list(id)).data).toEqual([]);
    const v1 = new OpenAI({
      apiKey: 'azure-key',
      baseURL: `http://127.0.0.1:${port}/openai/v1/`,
      maxRetries: 0,
    });
    expect((await v1.responses.retrieve(first.id)).id).toBe(first.id);
    expect(simulator.log.map(({ path }) => path.split('/')[1])).toEqual([
      'responses',
      'responses',
      'conversations',
      'conversations',
      'responses',
    ]);
  });

  it('the header api-key is a key like the bearer, and a deployment is part of the path', async () => {
    const simulator = createSimulator({ apiKeys: ['right'] });
    const send = async (headers: Record<string, string>): Promise<number> =>
      (
        await simulator.fetch('https://x.example/openai/deployments/my-model/responses?api-version=1', {
          method: 'POST',
          headers,
          body: JSON.stringify(hi),
        })
      ).status;
    expect(await send({ 'api-key': 'right' })).toBe(200);
    expect(await send({ 'api-key': 'wrong' })).toBe(401);
    expect(await send({ 'api-key': '' })).toBe(401);
    expect(await send({ 'api-key': 'wrong', authorization: 'Bearer right' })).toBe(200);
    expect(simulator.log.map(({ tenant }) => tenant)).toEqual(['tenant-1', undefined, undefined, 'tenant-1']);
    expect(JSON.stringify(simulator.log)).not.toContain('right');
    expect((await ask(simulator, 'POST', '/responses', hi, { 'api-key': 'right' })).status).toBe(200);
    expect(await refusalOf(clientOf(simulator, 'right').responses.retrieve('resp_none'))).toMatchObject({
      status: 404,
    });
    const elsewhere = await simulator.fetch('https://x.example/other/responses', {
      method: 'POST',
      body: '{}',
    });
    expect(elsewhere.status).toBe(404);
  });
});
