import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, OpenAIConversationsSession, tool } from '@openai/agents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSimulator, type Listening, type RecordOptions, type Simulator } from '../../../mocks/core.ts';
import { Secrets } from '../../../mocks/upstream/secrets.ts';
import { collect, refusalOf } from '../support.ts';

const KEY = 'sk-proj-0123456789abcdefghijklmnop';
const hi = { model: 'gpt-4.1', input: 'hi' };

const weather = tool({
  name: 'get_weather',
  description: 'The weather',
  parameters: z.object({ city: z.string() }),
  execute: () => 'rain',
});

describe('a recording', () => {
  let folder: string;
  let file: string;
  /** In the place of the API. */
  let api: Simulator;
  let server: Listening;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'recordings-'));
    file = join(folder, 'deep', 'calls.jsonl');
    api = createSimulator();
    server = await api.listen();
  });

  afterEach(async () => {
    await api.close();
    rmSync(folder, { recursive: true });
  });

  const recording = (): Simulator => {
    const simulator = createSimulator();
    simulator.record({ upstream: server.url, file });
    return simulator;
  };

  it('a run is recorded once and replayed without the server, with another key', async () => {
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
    const story = async (simulator: Simulator, apiKey: string): Promise<unknown[]> => {
      const client = simulator.client({ apiKey });
      const session = new OpenAIConversationsSession({ client });
      const runner = simulator.runner({ client });
      const answers = [];
      for (const text of ['hi', 'call get_weather {"city":"Oslo"}']) {
        const streamed = await runner.run(agent, text, { session, stream: true });
        for await (const event of streamed) answers.push(event.type);
        answers.push(streamed.finalOutput);
      }
      return [...answers, await session.getItems(), await session.getSessionId()];
    };
    const recorded = await story(recording(), KEY);
    const calls = api.log.length;
    expect(calls).toBeGreaterThan(5);
    expect(await story(recording(), KEY)).toEqual(recorded);
    expect(api.log).toHaveLength(calls);
    await server.close();
    const offline = createSimulator();
    offline.replay(file);
    expect(await story(offline, 'test')).toEqual(recorded);
    expect(offline.log.map(({ operation, status }) => [operation, status])).toEqual(
      api.log.map(({ operation, status }) => [operation, status]),
    );
    expect(offline.log.every(({ isFinished, responseBytes }) => isFinished && responseBytes > 0)).toBe(true);
  });

  it('equal requests get their answers in order, however their fields are ordered', async () => {
    const simulator = recording();
    const client = simulator.client();
    const first = await client.responses.create(hi);
    const second = await client.responses.create({ input: 'hi', model: 'gpt-4.1' });
    expect(first.id).not.toBe(second.id);
    simulator.replay(file);
    expect((await client.responses.create({ input: 'hi', model: 'gpt-4.1' })).id).toBe(first.id);
    expect((await client.responses.create(hi)).id).toBe(second.id);
    expect(await refusalOf(client.responses.create(hi))).toMatchObject({
      status: 400,
      code: 'not_recorded',
      message:
        'The simulator has no recording for this request: calls.jsonl has 2 of this POST /responses, and it came once more',
    });
  });

  it('a request without a recording is refused by the fields in which the nearest one differs', async () => {
    const simulator = recording();
    const client = simulator.client();
    await client.responses.create(hi);
    await client.responses.create({ ...hi, model: 'gpt-5.4', temperature: 0.5 });
    simulator.replay(file);
    const refused = await refusalOf(client.responses.create({ ...hi, input: 'my secret', temperature: 1 }));
    expect(refused.message).toMatch(/calls\.jsonl has no such POST \/responses; the nearest one differs in /);
    expect(refused.message).toMatch(/input, temperature$/);
    expect(refused.message).not.toContain('secret');
    expect((await refusalOf(client.conversations.create())).message).toMatch(/has no POST \/conversations$/);
    expect((await refusalOf(client.responses.retrieve('resp_x'))).message).toMatch(
      /has no GET \/responses\/resp_x$/,
    );
  });

  it('the file holds neither keys nor other secrets, and a secret does not make a request another one', async () => {
    const simulator = recording();
    const secret = (word: string, apiKey: string): Promise<unknown> =>
      simulator.client({ apiKey, organization: `org-${word}` }).responses.create({
        ...hi,
        instructions: `Use ${apiKey} or Bearer ${word}abcdefghijklmnop`,
        metadata: { password: word },
        tools: [
          {
            type: 'mcp',
            server_label: 'mail',
            server_url: 'https://mail.example/mcp',
            authorization: word,
            headers: { 'x-anything': word },
          },
        ],
      });
    await secret('hidden', KEY);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('hidden');
    expect(text).not.toContain(KEY);
    expect(api.log[0]?.bodyText).toContain('hidden');
    simulator.replay(file);
    await secret('other', 'sk-another-key-0123456789');
  });

  it('words that only look like secrets stay', () => {
    const secrets = new Secrets(new Request('http://x.test', { headers: { authorization: 'Bearer test' } }));
    const kept = {
      logprobs: [{ token: 'Hello', bytes: [1] }],
      text: 'Basic understanding of the Bearer of a test, task-oriented-and-long-enough',
      max_output_tokens: 16,
      properties: { password: { type: 'string' } },
      required: ['password'],
    };
    expect(secrets.removedFrom(kept)).toEqual(kept);
  });

  it('an answer that tells of the moment is passed on, but not kept', async () => {
    const simulator = recording();
    const client = simulator.client({ maxRetries: 0 });
    api.fault('responses.create', { name: 'rate_limit', times: 1 });
    api.fault('responses.create', { name: 'server_error', times: 1, skip: 1 });
    const refused = await refusalOf(client.responses.create(hi));
    expect(refused).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect(await refusalOf(client.responses.create(hi))).toMatchObject({ status: 500 });
    const { id } = await client.responses.create(hi);
    expect(await refusalOf(client.responses.retrieve('resp_none'))).toMatchObject({ status: 404 });
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
    simulator.replay(file);
    expect((await client.responses.create(hi)).id).toBe(id);
    expect(await refusalOf(client.responses.retrieve('resp_none'))).toMatchObject({ status: 404 });
  });

  it('a fault strikes a recorded request, and the simulator answers again after the end', async () => {
    const simulator = createSimulator();
    const end = simulator.record({ upstream: server.url, file });
    const client = simulator.client({ maxRetries: 0 });
    simulator.fault('responses.create', { name: 'overloaded', times: 1 });
    expect(await refusalOf(client.responses.create(hi))).toMatchObject({ status: 503 });
    expect(api.log).toEqual([]);
    await client.responses.create(hi);
    end();
    await client.responses.create({ ...hi, input: 'here' });
    expect(api.log).toHaveLength(1);
    expect(simulator.snapshot().responses).toHaveLength(1);
  });

  it('a stream is replayed event by event', async () => {
    const simulator = recording();
    const client = simulator.client();
    const events = await collect(await client.responses.create({ ...hi, stream: true }));
    simulator.replay(file);
    const before = simulator.log.length;
    const stream = await client.responses.create({ ...hi, stream: true });
    const told = [];
    const ended = [];
    for await (const event of stream) {
      told.push(event);
      ended.push(simulator.log[before]?.isFinished);
    }
    expect(told).toEqual(events);
    expect(ended[0]).toBe(false);
  });

  it('a server that cannot be reached is told as such', async () => {
    const simulator = recording();
    await server.close();
    const refused = await refusalOf(simulator.client({ maxRetries: 0 }).responses.create(hi));
    expect(refused).toMatchObject({ status: 502, code: 'upstream_unreachable' });
    expect(refused.message).toContain(`cannot reach http://127.0.0.1:${server.port}: `);
  });

  it('a file that cannot be read is refused at once, by its line', () => {
    const simulator = createSimulator();
    const missing = join(folder, 'none.jsonl');
    expect(() => simulator.replay(missing)).toThrow(`${missing}: there is no such file`);
    expect(() => simulator.record({ file: folder })).toThrow(`Cannot read the recordings ${folder}`);
    const damaged = join(folder, 'damaged.jsonl');
    for (const line of ['{', '{}', '{"request":{"method":"GET"}}']) {
      writeFileSync(damaged, `\n${line}\n`);
      expect(() => simulator.replay(damaged)).toThrow(`${damaged}: line 2 is no recording`);
    }
  });

  it.each<[RecordOptions, string]>([
    [{ file: 'x', url: 'y' } as RecordOptions, '"options" has no field "url"; there are file, upstream'],
    [{ file: 'x', upstream: 'api.openai.com' }, '"upstream" must be the base URL of a server'],
    [{ file: 'x', upstream: 'file:///etc' }, '"upstream" must be the base URL of a server'],
  ])('the options %j are refused', (options, words) => {
    expect(() => createSimulator().record(options)).toThrow(RangeError);
    expect(() => createSimulator().record(options)).toThrow(`Cannot record: ${words}`);
  });
});
