import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, type RawData } from 'ws';
import { z } from 'zod';
import { createSimulator, outline, type Listening, type Simulator } from '../../../mocks/core.ts';
import { HybridRunner, HybridSession } from '../../../src/index.ts';

type Message = Record<string, unknown>;

const hi = { type: 'response.create', model: 'gpt-4.1', input: 'hi' };
const authorization = 'Bearer sk-test';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const textOf = (data: RawData): string => (Buffer.isBuffer(data) ? data.toString() : '');

/** Messages until one of these types has come `count` times. */
const until = async (socket: WebSocket, types: string | readonly string[], count = 1): Promise<Message[]> =>
  new Promise((resolve, reject) => {
    const messages: Message[] = [];
    const closed = (code: number): void => reject(new Error(`closed with ${code}`));
    const receive = (data: RawData): void => {
      messages.push(JSON.parse(textOf(data)) as Message);
      if (messages.filter(({ type }) => [types].flat().some((each) => each === type)).length < count) return;
      socket.off('close', closed);
      socket.off('message', receive);
      resolve(messages);
    };
    socket.on('close', closed);
    socket.on('message', receive);
  });

/** The last message that a request without storage gets. */
const ask = async (on: WebSocket, body: object): Promise<Message> => {
  const done = until(on, ['response.completed', 'error']);
  on.send(JSON.stringify({ ...hi, store: false, ...body }));
  return (await done).at(-1) ?? {};
};

const idOf = ({ response }: Message): string => (response as { id: string }).id;

describe('a WebSocket of the simulator', () => {
  let simulator: Simulator;
  let server: Listening;

  beforeEach(async () => {
    simulator = createSimulator();
    server = await simulator.listen();
  });

  afterEach(async () => {
    vi.unstubAllGlobals();
    await simulator.close();
  });

  const address = (path = '/responses'): string => `${server.url.replace('http', 'ws')}${path}`;

  const opened = async (): Promise<WebSocket> => {
    const socket = new WebSocket(address(), { headers: { authorization } });
    await once(socket, 'open');
    return socket;
  };

  it("the SDK's WebSocket model runs agents, with tools and over one connection", async () => {
    vi.stubGlobal('WebSocket', WebSocket);
    const client = simulator.client({ baseURL: server.url });
    const modelProvider = new OpenAIProvider({
      openAIClient: client,
      useResponses: true,
      useResponsesWebSocket: true,
    });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const result = await runner.run(agent, 'call weather {}');
    expect(result.finalOutput).toContain('The tools said "sunny"');
    const streamed = await runner.run(agent, 'hi', { stream: true });
    await streamed.completed;
    expect(streamed.finalOutput).toContain('I see 1 item');
    const session = new HybridSession({ client });
    const hybrid = new HybridRunner({ modelProvider, tracingDisabled: true });
    for (const text of ['one', 'two']) await hybrid.run(agent, text, { session });
    expect(outline(simulator.log.findLast(({ context }) => context)?.context ?? [])).toBe('u,a,u');
    const parents = simulator.log.map(({ body }) => body?.['previous_response_id'] ?? 'none');
    expect(parents.filter((parent) => parent !== 'none')).toEqual([expect.stringMatching(/^resp_/)]);
    await modelProvider.close();
  });

  it("the openai client's WebSocket gets each event of a stream as a message", async () => {
    const socket = new ResponsesWS(simulator.client({ baseURL: server.url }));
    const types: string[] = [];
    for await (const event of socket) {
      if (event.type === 'open') socket.send({ ...hi, type: 'response.create' });
      if (event.type !== 'message') continue;
      types.push(event.message.type);
      if (event.message.type === 'response.completed') socket.close();
    }
    expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed']);
    expect(types).toContain('response.output_text.delta');
    expect(simulator.log).toMatchObject([
      { operation: 'responses.create', path: '/responses', isFinished: true },
    ]);
  });

  it('requests of one connection are answered one after another', async () => {
    const socket = await opened();
    const done = until(socket, 'response.completed', 2);
    socket.send(JSON.stringify(hi));
    socket.send(JSON.stringify({ ...hi, input: 'bye', stream: false }));
    const types = (await done).map(({ type }) => type);
    expect(types.indexOf('response.completed')).toBeLessThan(types.lastIndexOf('response.created'));
  });

  it.each(['openai', 'zdr'] as const)(
    'a response that is not stored can be continued on its connection alone (%s), until a request with it is refused',
    async (profile) => {
      await using world = createSimulator({ profile });
      const { url } = await world.listen();
      const [socket, other] = [0, 1].map(
        () => new WebSocket(`${url.replace('http', 'ws')}/responses`, { headers: { authorization } }),
      );
      if (!socket || !other) throw new Error('Two sockets were opened');
      await Promise.all([once(socket, 'open'), once(other, 'open')]);
      const first = idOf(await ask(socket, {}));
      const second = idOf(await ask(socket, { input: 'two', previous_response_id: first }));
      expect(outline(world.log.at(-1)?.context ?? [])).toBe('u,a,u');
      expect(await ask(other, { previous_response_id: second })).toMatchObject({
        type: 'error',
        status: 400,
      });
      expect(await ask(socket, { previous_response_id: first })).toMatchObject({
        type: 'error',
        status: 400,
      });
      const third = await ask(socket, { input: 'three', previous_response_id: second });
      expect(outline(world.log.at(-1)?.context ?? [])).toBe('u,a,u,a,u');
      const wrong = { previous_response_id: idOf(third), temperature: 9 };
      expect(await ask(socket, wrong)).toMatchObject({ type: 'error', status: 400 });
      expect(await ask(socket, { previous_response_id: idOf(third) })).toMatchObject({ type: 'error' });
      expect(world.snapshot()).toMatchObject({ responses: [], items: [] });
    },
  );

  it('a stored response goes on from one that only the connection remembers, and keeps its items', async () => {
    const socket = await opened();
    const firstDone = until(socket, 'response.completed');
    socket.send(JSON.stringify({ ...hi, store: false }));
    const [last = {}] = (await firstDone).slice(-1);
    const secondDone = until(socket, 'response.completed');
    socket.send(JSON.stringify({ ...hi, previous_response_id: idOf(last) }));
    const [stored = {}] = (await secondDone).slice(-1);
    const same = simulator.client({ apiKey: 'sk-test' });
    await same.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: idOf(stored) });
    expect(outline(simulator.log.at(-1)?.context ?? [])).toBe('u,a,u,a,u');
  });

  it('a request with generate: false has no output and can be continued', async () => {
    const socket = await opened();
    const warm = await ask(socket, { input: [], generate: false });
    expect(warm['response']).toMatchObject({ status: 'completed', output: [], usage: { output_tokens: 0 } });
    const read = await ask(socket, { generate: false, previous_response_id: idOf(warm) });
    const last = await ask(socket, { input: 'thanks', generate: true, previous_response_id: idOf(read) });
    expect(last['response']).toMatchObject({
      output: [{ content: [{ text: 'Answer 2: I see 2 items (2u): u "hi", u "thanks"' }] }],
    });
    expect(simulator.log.filter(({ context }) => context)).toHaveLength(1);
    const { status } = await simulator.fetch(`${server.url}/responses`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({ model: 'gpt-4.1', input: 'hi', generate: false }),
    });
    expect(status).toBe(400);
    socket.close();
  });

  it('a refused request is an error with its status, and the connection goes on', async () => {
    const socket = await opened();
    const errors = until(socket, 'error', 4);
    socket.send(JSON.stringify({ ...hi, previous_response_id: 'resp_none' }));
    socket.send('{');
    socket.send('[]');
    socket.send(JSON.stringify({ type: 'session.update' }));
    expect(await errors).toMatchObject([
      { status: 400, error: { code: 'previous_response_not_found', param: 'previous_response_id' } },
      { status: 400, error: { code: 'invalid_json' } },
      { status: 400, error: { code: 'invalid_value', param: 'type' } },
      {
        status: 400,
        error: { code: 'invalid_value', message: expect.stringContaining("'session.update'") as unknown },
      },
    ]);
    const done = until(socket, 'response.completed');
    socket.send(JSON.stringify(hi));
    await done;
  });

  it('faults and profiles reach a WebSocket: errors in any shape, streams that are cut', async () => {
    const socket = await opened();
    simulator.fault('responses.create', { name: 'rate_limit', times: 1 });
    const refused = until(socket, 'error');
    socket.send(JSON.stringify(hi));
    expect(await refused).toMatchObject([{ status: 429, error: { code: 'rate_limit_exceeded' } }]);
    simulator.fault('responses.create', { name: 'cut_stream', at: 2, times: 1 });
    const closed = once(socket, 'close');
    socket.send(JSON.stringify(hi));
    expect((await closed)[0]).toBe(1006);
    const another = await opened();
    simulator.fault('responses.create', { name: 'connection_reset', times: 1 });
    const broken = once(another, 'close');
    another.send(JSON.stringify(hi));
    expect((await broken)[0]).toBe(1006);
    await using html = createSimulator({ profile: 'refuses-parent:html' });
    const { url } = await html.listen();
    const third = new WebSocket(`${url.replace('http', 'ws')}/responses`, { headers: { authorization } });
    await once(third, 'open');
    const page = until(third, 'error');
    third.send(JSON.stringify({ ...hi, previous_response_id: 'resp_1' }));
    expect((await page)[0]).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('<html') as unknown },
    });
  });

  it('a client that goes away abandons its stream, and the close of the simulator ends the connection', async () => {
    simulator.fault('responses.create', { name: 'slow_stream', every: 5 });
    const socket = await opened();
    const started = until(socket, 'response.in_progress');
    const finished = new Promise((resolve) => simulator.onRequest(resolve));
    socket.send(JSON.stringify(hi));
    await started;
    socket.terminate();
    await finished;
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'completed' }]);
    const waiting = await opened();
    const closed = once(waiting, 'close');
    await simulator.close();
    expect((await closed)[0]).toBe(1006);
  });

  it('messages may be in parts, long, and mixed with pings', async () => {
    const socket = await opened();
    const done = until(socket, 'response.completed', 2);
    const pong = once(socket, 'pong');
    const long = JSON.stringify({ ...hi, input: `ü${'x'.repeat(300_000)}` });
    socket.send(long.slice(0, 200), { fin: false });
    socket.ping('p');
    socket.send(long.slice(200), { fin: true });
    socket.send(JSON.stringify({ ...hi, instructions: 'y'.repeat(400) }));
    expect((await pong)[0].toString()).toBe('p');
    await done;
    expect(simulator.log[0]?.body).toMatchObject({ input: `ü${'x'.repeat(300_000)}` });
    socket.close(4000);
    expect((await once(socket, 'close'))[0]).toBe(4000);
  });

  it.each<[string, (socket: WebSocket) => void, number]>([
    ['binary', (socket) => socket.send(Buffer.from('x')), 1003],
    ['no UTF-8', (socket) => socket.send(Buffer.from([0xff]), { binary: false }), 1007],
  ])('a message that is %s closes the connection by the code of the protocol', async (_kind, send, code) => {
    const socket = await opened();
    send(socket);
    expect((await once(socket, 'close'))[0]).toBe(code);
  });

  it.each<[string, number[], number]>([
    ['not masked', [0x81, 0x01, 0x78], 1002],
    ['compressed', [0xc1, 0x80, 0, 0, 0, 0], 1002],
    ['of an unknown kind', [0x83, 0x80, 0, 0, 0, 0], 1002],
    ['a continuation of none', [0x80, 0x80, 0, 0, 0, 0], 1002],
    ['a ping in parts', [0x09, 0x80, 0, 0, 0, 0], 1002],
    ['far too long', [0x81, 0xff, 0, 1, 0, 0, 0, 0, 0, 0], 1009],
  ])('a frame that is %s closes the connection by the code of the protocol', async (_kind, bytes, code) => {
    const socket = connect(server.port, '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.write(
      'GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Authorization: ${authorization}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`,
    );
    // In the same packet as the request, or byte by byte: a frame is read either way.
    for (const byte of bytes) socket.write(Buffer.from([byte]));
    await once(socket, 'close');
    const answer = Buffer.concat(received);
    expect(answer.toString('latin1')).toContain('101 Switching Protocols');
    expect(answer.subarray(-2).readUInt16BE()).toBe(code);
  });

  it.each<[string, string, Record<string, string>, number, number?]>([
    ['without a key', '/responses', {}, 401],
    ['at another path', '/realtime', { authorization }, 404],
    ['from a page elsewhere', '/responses', { authorization, origin: 'https://evil.example' }, 403],
    ['at an unknown host', '/responses', { authorization, host: 'evil.example' }, 403],
    ['of an old version', '/responses', { authorization }, 426, 8],
  ])(
    'a WebSocket %s is refused with a status',
    async (_kind, path, headers, status, protocolVersion = 13) => {
      const socket = new WebSocket(address(path), { headers, protocolVersion });
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
      expect(response.statusCode).toBe(status);
      expect(simulator.log).toEqual([]);
    },
  );

  it('a WebSocket of a page of this machine is served, and one with the header of Azure', async () => {
    const headers = { 'api-key': 'sk-test', origin: 'http://localhost:3000' };
    const path = `ws://127.0.0.1:${server.port}/openai/v1/responses`;
    const socket = new WebSocket(path, { headers });
    await once(socket, 'open');
    const done = until(socket, 'response.completed');
    socket.send(JSON.stringify(hi));
    expect((await done)[0]).toMatchObject({ type: 'response.created' });
    socket.close();
  });

  it('a request that offers HTTP/2 is answered by HTTP/1.1', async () => {
    const body = JSON.stringify({ model: 'gpt-4.1', input: 'hi' });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        authorization,
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAEAAEAAAAIAAAAA',
        'content-length': String(body.length),
      };
      httpRequest(`${server.url}/responses`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(body);
    });
    expect(status).toBe(200);
  });
});
