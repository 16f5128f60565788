import { request } from 'node:http';
import { createServer } from 'node:net';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { captureIo, type CapturedIo } from '../support/captured-io.ts';

interface Serving extends CapturedIo {
  readonly url: string;
  readonly ended: Promise<number>;
}

async function simulate(...args: string[]): Promise<Serving> {
  const captured = captureIo();
  const ended = main(['simulate', '--port', '0', ...args], captured.io);
  const url = await Promise.race([
    captured.printed(/^(http:.+)\n/),
    ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${captured.stderr()}`))),
  ]);
  return { ...captured, url, ended };
}

function clientAt(url: string): OpenAI {
  return new OpenAI({ apiKey: 'sk-secret', baseURL: url, maxRetries: 0 });
}

/** Two turns, the second of which replays the first one's answer by its ID. @returns the IDs in the list afterwards. */
async function replay(client: OpenAI): Promise<string[]> {
  const { id } = await client.conversations.create();
  const first = await client.responses.create({ model: 'gpt-5.4', input: 'one', conversation: id });
  const replayed = [...first.output, { role: 'user', content: 'two' }] as OpenAI.Responses.ResponseInput;
  await client.responses.create({ model: 'gpt-5.4', input: replayed });
  return (await client.conversations.items.list(id)).data.map((item) => item.id ?? '');
}

describe('agents-hybrid-session simulate', () => {
  it('simulate prints its URL and one line for each request, without content or keys', async () => {
    const server = await simulate();
    const client = clientAt(server.url);
    const { id } = await client.conversations.create();
    await client.responses.create({ model: 'gpt-4.1', input: 'top secret', conversation: id });
    await client.conversations.items.list(id, { limit: 5 });
    await expect(client.responses.retrieve('resp_unknown')).rejects.toThrow('404');
    server.stop('SIGINT');
    expect(await server.ended).toBe(0);
    const [url, ...lines] = server.stdout().trimEnd().split('\n');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect(lines.map((line) => line.replace(/\d+ ms$/, 'N ms'))).toEqual([
      'POST /conversations 200 N ms',
      'POST /responses 200 N ms',
      `GET /conversations/${id}/items 200 N ms`,
      'GET /responses/resp_unknown 404 N ms',
    ]);
    expect(server.stdout() + server.stderr()).not.toMatch(/secret/);
  });

  it('simulate serves the hosts and origins that are allowed', async () => {
    const allowed = [
      '--allow-host',
      'a.example',
      '--allow-host',
      'b.example',
      '--allow-origin',
      'https://app.test',
    ];
    const server = await simulate(...allowed);
    const { port } = new URL(server.url);
    const statusAt = async (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { host, origin: 'https://app.test', 'access-control-request-method': 'POST' };
        const path = '/v1/responses';
        request({ host: '127.0.0.1', port, path, method: 'OPTIONS', headers }, ({ statusCode }) =>
          resolve(statusCode),
        )
          .on('error', reject)
          .end();
      });
    expect(await Promise.all(['a.example', 'b.example', 'c.example'].map(statusAt))).toEqual([204, 204, 403]);
    server.stop('SIGINT');
    expect(await server.ended).toBe(0);
  });

  it.each(['SIGINT', 'SIGTERM'])(
    'simulate stops cleanly on %s, also in the middle of a stream',
    async (signal) => {
      const server = await simulate();
      const stream = await clientAt(server.url).responses.create({
        model: 'gpt-4.1',
        input: 'hi',
        stream: true,
      });
      const iterator = stream[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toMatchObject({ type: 'response.created' });
      server.stop(signal);
      expect(await server.ended).toBe(0);
      expect(server.stderr()).toBe(`Stop with Ctrl-C.\nStopped by ${signal}.\n`);
      await expect(fetch(server.url)).rejects.toThrow('fetch failed');
    },
  );

  it('simulate --latency delays each request, and prints the time', async () => {
    const server = await simulate('--latency', '60');
    await clientAt(server.url).conversations.create();
    server.stop('SIGTERM');
    await server.ended;
    const told = Number(/^POST \/conversations 200 (\d+) ms$/m.exec(server.stdout())?.[1]);
    expect(told).toBeGreaterThanOrEqual(59);
  });

  it('simulate makes the same IDs for the same seed and others for another', async () => {
    const ids: string[] = [];
    for (const seed of ['7', '7', '8']) {
      const server = await simulate('--seed', seed);
      ids.push((await clientAt(server.url).conversations.create()).id);
      server.stop('SIGTERM');
      await server.ended;
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it.each([
    { args: [], kept: 1 },
    { args: ['--unlink', 'id-replay'], kept: 1 },
    { args: ['--unlink', 'none'], kept: 2 },
  ])('simulate keeps $kept of 2 items whose IDs were replayed with $args', async ({ args, kept }) => {
    const server = await simulate(...args);
    expect(await replay(clientAt(server.url))).toHaveLength(kept);
    server.stop('SIGTERM');
    await server.ended;
  });

  it('simulate --unlink every-turn loses the earlier answers at every turn', async () => {
    const server = await simulate('--unlink', 'every-turn');
    const client = clientAt(server.url);
    const { id } = await client.conversations.create();
    for (const input of ['one', 'two']) {
      await client.responses.create({ model: 'gpt-5.4', input, conversation: id });
    }
    const { data } = await client.conversations.items.list(id, { order: 'asc' });
    expect(data.map((item) => ('role' in item ? item.role : item.type))).toEqual([
      'user',
      'user',
      'assistant',
    ]);
    server.stop('SIGTERM');
    await server.ended;
  });

  it.each([
    { args: [], sees: '3 items' },
    { args: ['--profile', 'openai'], sees: '3 items' },
    { args: ['--profile', 'ignores-parent'], sees: '1 item' },
  ])('simulate shows the model $sees of a chain with $args', async ({ args, sees }) => {
    const server = await simulate(...args);
    const client = clientAt(server.url);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const { output_text } = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    expect(output_text).toContain(`I see ${sees} `);
    server.stop('SIGTERM');
    await server.ended;
  });

  it.each([
    { args: [], listed: 1 },
    { args: ['--input-items', 'own'], listed: 1 },
    { args: ['--input-items', 'inherited'], listed: 3 },
  ])('simulate lists $listed input items of a second response with $args', async ({ args, listed }) => {
    const server = await simulate(...args);
    const client = clientAt(server.url);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const { id } = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    expect((await client.responses.inputItems.list(id)).data).toHaveLength(listed);
    server.stop('SIGTERM');
    await server.ended;
  });

  it('simulate listens on --host and --port', async () => {
    const server = await simulate('--host', 'localhost');
    expect(server.url).toMatch(/^http:\/\/localhost:\d+\/v1$/);
    expect((await clientAt(server.url).conversations.create()).object).toBe('conversation');
    server.stop('SIGTERM');
    await server.ended;
  });

  it('simulate answers an unknown endpoint with an error and keeps running', async () => {
    const server = await simulate();
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${server.url}/responses`, { method: 'POST', body: '{' })).status).toBe(401);
    expect((await clientAt(server.url).conversations.create()).object).toBe('conversation');
    await server.printed(/^GET \/nothing 404 \d+ ms$/m);
    server.stop('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('simulate reports a port in use', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const { io, stdout, stderr } = captureIo();
    expect(await main(['simulate', '--port', String(port)], io)).toBe(70);
    expect(stdout()).toBe('');
    expect(stderr()).toBe(
      `agents-hybrid-session simulate: port_in_use: Cannot listen on 127.0.0.1:${port}: another program listens there\n` +
        'Try: agents-hybrid-session simulate --port 0\n',
    );
    await new Promise((resolve) => other.close(resolve));
  });

  it('simulate reports an unknown address', async () => {
    const { io, stderr } = captureIo();
    // Reserved for documentation: no machine has it.
    expect(await main(['simulate', '--port', '0', '--host', '192.0.2.1'], io)).toBe(70);
    expect(stderr()).toBe(
      'agents-hybrid-session simulate: unknown_host: Cannot listen on 192.0.2.1:0: this machine has no such address\n' +
        'Try: agents-hybrid-session simulate --host 127.0.0.1\n',
    );
  });

  it.each([
    [['--port', '65536'], "--port must be a whole number from 0 to 65535, not '65536'", '--port 8787'],
    [['--port', 'http'], "--port must be a whole number from 0 to 65535, not 'http'", '--port 8787'],
    [['--latency', '-1'], "Option '--latency' argument is ambiguous", '--help'],
    [['--latency=-1'], "--latency must be a whole number from 0 to 86400000, not '-1'", '--latency 50'],
    [['--seed', '1.5'], '--seed must be a whole number from', '--seed 1'],
    [
      ['--unlink', 'all'],
      "--unlink must be one of every-turn, id-replay, none, not 'all'",
      '--unlink every-turn',
    ],
    [['--input-items', 'all'], "--input-items must be one of own, inherited, not 'all'", '--input-items own'],
    [['--profile', 'ollama'], '--profile must be one of openai, zdr, ignores-parent', '--profile openai'],
    [['--host', ''], '--host must not be empty', '--host 127.0.0.1'],
    [['--verbose'], "Unknown option '--verbose'", '--help'],
    [['8787'], "Unexpected argument '8787'", '--help'],
  ])('simulate refuses %j before it listens', async (args, problem, hint) => {
    const { io, stdout, stderr } = captureIo();
    expect(await main(['simulate', ...args], io)).toBe(64);
    expect(stdout()).toBe('');
    const [first = '', second] = stderr().split('\n');
    expect(first.startsWith(`agents-hybrid-session simulate: invalid_argument: ${problem}`)).toBe(true);
    expect(second).toBe(`Try: agents-hybrid-session simulate ${hint}`);
  });
});
