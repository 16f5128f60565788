import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/core.ts';
import { refusalOf } from '../support.ts';

interface Arrived {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('passthrough', () => {
  let server: Server;
  let upstream: string;
  let arrived: Arrived[];

  beforeEach(async () => {
    arrived = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        arrived.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(url?.includes('missing') === true ? 404 : 200, {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'x-own': 'kept',
        });
        response.end(gzipSync(JSON.stringify({ data: [{ embedding: [0.5], index: 0 }], object: 'list' })));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    upstream = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/base/`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('a route that is not simulated goes to the server with its key, body and query', async () => {
    const simulator = createSimulator({ passthrough: upstream });
    const client = simulator.client({ apiKey: 'sk-mine' });
    const { data } = await client.embeddings.create({
      model: 'text-embedding-3-small',
      input: 'hi',
      encoding_format: 'float',
    });
    expect(data[0]?.embedding).toEqual([0.5]);
    const { response } = await client.files.list({ limit: 3 }).withResponse();
    expect(response.headers.get('x-own')).toBe('kept');
    expect(arrived.map(({ method, url }) => [method, url])).toEqual([
      ['POST', '/base/embeddings'],
      ['GET', '/base/files?limit=3'],
    ]);
    expect(JSON.parse(arrived[0]?.body ?? '')).toMatchObject({ input: 'hi' });
    expect(arrived[0]?.headers).toMatchObject({
      authorization: 'Bearer sk-mine',
      host: expect.stringMatching(/^127/) as unknown,
    });
    expect(simulator.log).toMatchObject([
      { operation: undefined, path: '/embeddings', status: 200, isFinished: true },
      { operation: undefined, path: '/files', status: 200, isFinished: true },
    ]);
  });

  it('a simulated route stays here, and an error of the server comes back', async () => {
    const simulator = createSimulator({ passthrough: upstream });
    const client = simulator.client({ maxRetries: 0 });
    await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    await client.models.list();
    expect(arrived).toEqual([]);
    expect(await refusalOf(client.files.retrieve('missing'))).toMatchObject({ status: 404 });
  });

  it('a listening simulator passes on, too', async () => {
    await using simulator = createSimulator({ passthrough: upstream });
    const { url } = await simulator.listen();
    const answer = await fetch(`${url}/chat/completions`, { method: 'POST', body: '{"a":1}' });
    expect(await answer.json()).toMatchObject({ object: 'list' });
    expect(arrived).toMatchObject([{ url: '/base/chat/completions', body: '{"a":1}' }]);
  });

  it('a base URL that is none is refused', () => {
    expect(() => createSimulator({ passthrough: 'openai' })).toThrow(
      'Cannot create the simulator: "passthrough" must be the base URL of a server',
    );
  });
});

describe('models', () => {
  it('models are listed, each once, and any name can be retrieved', async () => {
    const client = createSimulator().client();
    const names = [];
    for await (const { id, object } of client.models.list()) {
      expect(object).toBe('model');
      names.push(id);
    }
    expect(names).toEqual(expect.arrayContaining(['gpt-4.1', 'gpt-4.1-2025-04-14', 'gpt-5.4']));
    expect(new Set(names).size).toBe(names.length);
    expect(await client.models.retrieve('my/own')).toMatchObject({ id: 'my/own', owned_by: 'system' });
  });
});
