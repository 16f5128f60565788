import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { Agent } from '@openai/agents';
import * as fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { HybridRunner, HybridSession, memoryLedger, type HybridSessionEvent } from '../../src/index.ts';
import { tamperedClient } from '../session/support/tampered.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { failureOf, guardProcess, holds } from './support/property.ts';
import { QUOTED, wrongAnswer, type Wrong } from './support/wrong-answers.ts';

guardProcess();

const runner = new HybridRunner({ tracingDisabled: true });
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

/** Every endpoint that the package reads. */
const ENDPOINTS: Readonly<Record<string, (method: string, path: string) => boolean>> = {
  'conversations.create': (method, path) => method === 'POST' && path === '/conversations',
  'conversations.retrieve': (method, path) => method === 'GET' && /^\/conversations\/[^/]+$/.test(path),
  'conversations.update': (method, path) => method === 'POST' && /^\/conversations\/[^/]+$/.test(path),
  'conversations.delete': (method, path) => method === 'DELETE' && /^\/conversations\/[^/]+$/.test(path),
  'items.list': (method, path) => method === 'GET' && /^\/conversations\/[^/]+\/items$/.test(path),
  'items.create': (method, path) => method === 'POST' && /^\/conversations\/[^/]+\/items$/.test(path),
  'items.delete': (method, path) => method === 'DELETE' && /\/items\/[^/]+$/.test(path),
  'responses.create': (method, path) => method === 'POST' && path === '/responses',
  'responses.retrieve': (method, path) => method === 'GET' && /^\/responses\/[^/]+$/.test(path),
  'responses.delete': (method, path) => method === 'DELETE' && /^\/responses\/[^/]+$/.test(path),
  'inputItems.list': (method, path) => method === 'GET' && path.endsWith('/input_items'),
};

interface Plan {
  readonly wrong: readonly { readonly endpoint: string; readonly answer: Wrong; readonly times: number }[];
  readonly acts: readonly ('run' | 'stream' | 'add' | 'read' | 'verify' | 'flush' | 'reopen')[];
  readonly keepContent: boolean;
  readonly unlink: 'none' | 'every-turn';
}

const plans: fc.Arbitrary<Plan> = fc.record({
  wrong: fc.array(
    fc.record({
      endpoint: fc.constantFrom(...Object.keys(ENDPOINTS)),
      answer: wrongAnswer,
      times: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  acts: fc.array(fc.constantFrom('run', 'stream', 'add', 'read', 'verify', 'flush', 'reopen'), {
    minLength: 1,
    maxLength: 5,
  }),
  keepContent: fc.boolean(),
  unlink: fc.constantFrom('none', 'every-turn'),
});

/** Whether all of these are there, in this order, perhaps with others between. */
function expectInOrder(found: readonly string[], wanted: readonly string[]): void {
  let from = 0;
  for (const text of wanted) {
    const at = found.indexOf(text, from);
    expect(at, `'${text}' is served`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
}

/** Ends with the work, or fails the test when the work does not end. */
async function ending<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), 500_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function survive(
  { wrong, acts, keepContent, unlink }: Plan,
  kind: 'ledger' | 'bookmark',
): Promise<void> {
  const { client: right, simulator } = simulated({ unlink });
  const left = wrong.map(({ times }) => times);
  let isWrong = false;
  const client = tamperedClient(simulator, ({ method, path }, answer) => {
    const at = wrong.findIndex(
      ({ endpoint }, index) => (left[index] ?? 0) > 0 && ENDPOINTS[endpoint]?.(method, path) === true,
    );
    if (!isWrong || at === -1) return undefined;
    left[at] = (left[at] ?? 0) - 1;
    return wrong[at]?.answer(answer);
  });
  const events: HybridSessionEvent[] = [];
  const ledger = memoryLedger();
  const open = (conversationId?: string, through: OpenAI = client): HybridSession =>
    new HybridSession({
      client: through,
      ledger,
      bookmark: kind === 'bookmark',
      keepContent,
      conversationId,
      advanced: { compare: 'on-read' },
      onEvent: (event) => void events.push(event),
    });

  let session = open();
  await runner.run(agent, 'hi', { session });
  const conversationId = await session.getSessionId();
  const acknowledged = [...texts(await session.getItems())];
  const errors: unknown[] = [];
  isWrong = true;
  for (const [index, act] of acts.entries()) {
    const text = `text ${index}`;
    const error = await ending(
      failureOf(async () => {
        if (act === 'run') await runner.run(agent, text, { session, maxTurns: 3 });
        else if (act === 'stream')
          await (
            await runner.run(agent, text, { session, stream: true, maxTurns: 3 })
          ).completed;
        else if (act === 'add') await session.addItems([user(text)]);
        else if (act === 'read') await session.getItems();
        else if (act === 'verify') await session.verify();
        else if (act === 'flush') await session.flush();
        else session = open(conversationId);
      }),
    );
    if (error !== undefined) errors.push(error);
    else if (act === 'add' || act === 'run' || act === 'stream') acknowledged.push(text);
  }
  isWrong = false;
  for (const error of errors) expect(error).toBeInstanceOf(Error);
  const ours = errors.filter((error) => error instanceof Error && 'code' in error && !('status' in error));
  expect(
    inspect(
      ours.filter((error) => /Hybrid|Invalid|Incomplete|Ledger/.test(String(error))),
      { depth: 9 },
    ),
  ).not.toContain(QUOTED);
  expect(JSON.stringify(events)).not.toContain(QUOTED);

  expectInOrder(texts(await ending(session.getItems())), acknowledged);
  await ending(failureOf(() => session.flush()));
  expectInOrder(texts(await ending(open(conversationId, right).getItems())), acknowledged);
}

describe('answers that no endpoint promises', () => {
  it('unexpected answers cost no acknowledged item, and end in typed errors', async () => {
    await holds(60, plans, (plan) => survive(plan, 'ledger'));
  });

  it('unexpected answers cost no item of a session with a bookmark', async () => {
    await holds(25, plans, (plan) => survive(plan, 'bookmark'));
  });

  it('unexpected answers about a bookmark cost a process without the ledger no listed item', async () => {
    const about = fc.constantFrom('conversations.retrieve', 'responses.retrieve', 'inputItems.list');
    const wrong = fc.tuple(about, wrongAnswer, fc.integer({ min: 1, max: 3 }));
    await holds(25, wrong, async ([endpoint, answer, times]) => {
      const { client: right, simulator } = simulated({ unlink: 'none' });
      const first = new HybridSession({ client: right });
      await runner.run(agent, 'hi', { session: first });
      const said = texts(await first.getItems());
      let left = times;
      const client = tamperedClient(simulator, ({ method, path }, answered) =>
        ENDPOINTS[endpoint]?.(method, path) === true && (left -= 1) >= 0 ? answer(answered) : undefined,
      );
      const session = new HybridSession({ client, conversationId: await first.getSessionId() });
      for (let attempt = 0; attempt <= times; attempt += 1) {
        const error = await ending(failureOf(() => session.getItems()));
        if (error !== undefined) expect(error).toBeInstanceOf(Error);
      }
      expect(texts(await ending(session.getItems()))).toEqual(said);
    });
  });
});

describe('answers that break what carries them', () => {
  const BROKEN: Readonly<Record<string, RequestListener>> = {
    'claims to be compressed and is not': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(`not gzip ${QUOTED}`);
    },
    'is shorter than it says': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id":"conv_1"');
      setImmediate(() => response.destroy());
    },
    'ends before its headers': (request) => void request.socket.destroy(),
    'redirects in a circle': (request, response) => {
      response.writeHead(307, { location: request.url ?? '/' });
      response.end();
    },
    'is of another encoding': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-16' });
      response.end(Buffer.from('{"id":"conv_1"}', 'utf16le'));
    },
  };

  it.each(Object.keys(BROKEN))('an answer that %s is an error, and the stored items stay', async (kind) => {
    const simulator = createSimulatorCore({ unlink: 'none' });
    const server = createServer((request, response) => BROKEN[kind]?.(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const ledger = memoryLedger();
      const good = new OpenAI({ apiKey: 'test', fetch: simulator.fetch, maxRetries: 0 });
      const bad = new OpenAI({ apiKey: 'test', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
      const first = new HybridSession({ client: good, ledger });
      await first.addItems([user('one')]);
      const conversationId = await first.getSessionId();
      const session = new HybridSession({ client: bad, ledger, conversationId });
      await session.addItems([user('two')]);
      expect(texts(await session.getItems())).toEqual(['one', 'two']);
      const error = await failureOf(() => session.verify());
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9 })).not.toContain(QUOTED);
      expect(await failureOf(() => new HybridSession({ client: bad }).getSessionId())).toBeInstanceOf(Error);
      expect(texts(await new HybridSession({ client: good, ledger, conversationId }).getItems())).toEqual([
        'one',
        'two',
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
