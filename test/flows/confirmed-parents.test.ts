import { codeOf } from './support/story.ts';
import { Agent, OpenAIProvider, Runner, tool, webSearchTool } from '@openai/agents';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { SimulatorOptions } from '../../mocks/options.ts';
import {
  chainedProvider,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
} from '../../src/index.ts';
import { servers } from '../../src/chaining/server.ts';
import { failureOf, sightOf, turn, replayedWorld, type FlowWorld } from '../runner/flow-world.ts';
import { otherServer, type Differences, type OtherServer } from '../support/other-server.ts';
import { simulated } from '../support/simulated.ts';

type Body = Record<string, unknown>;

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
const searching = new Agent({ name: 'Searching', model: 'gpt-4.1', tools: [webSearchTool()] });

interface OtherWorld extends FlowWorld, OtherServer {
  readonly events: HybridSessionEvent[];
}

/** How a run reaches the model. */
const RUNS = ['stock', 'run', 'reference'] as const;

function otherWorld(
  differences: Differences,
  stream: boolean,
  how: (typeof RUNS)[number] = 'run',
  options: SimulatorOptions = {},
): OtherWorld {
  const { simulator } = simulated(options);
  const { client, sent } = otherServer(simulator, differences);
  const events: HybridSessionEvent[] = [];
  const ledger = memoryLedger();
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({ client, ledger, conversationId, onEvent: (event) => void events.push(event) });
  let session = open();
  const modelProvider = chainedProvider(new OpenAIProvider({ openAIClient: client }));
  return {
    simulator,
    client,
    sent,
    events,
    stream,
    get session() {
      return session;
    },
    runner:
      how === 'stock'
        ? new Runner({ modelProvider, tracingDisabled: true })
        : new HybridRunner({ tracingDisabled: true, history: how === 'reference' ? 'reference' : 'whole' }),
    reopen() {
      session = open(session.conversationId);
    },
  };
}

/** A server that drops the parent, and lets the output of a tool stand alone. */
function withoutParent(body: Body): Body {
  const { previous_response_id: parent, input, ...rest } = body;
  if (parent === undefined) return body;
  const items = Array.isArray(input) ? (input as Body[]) : [];
  const alone = items.map((item) =>
    item['type'] === 'function_call_output'
      ? { role: 'user', content: `A tool said ${String(item['output'])}` }
      : item,
  );
  return { ...rest, input: alone };
}

const echo = (response: Body, { previous_response_id: parent }: Body): void => {
  response['previous_response_id'] = parent ?? null;
};

/** Servers that ignore the parent, by the parent that their answers name. */
const IGNORING: readonly (readonly [string, Differences])[] = [
  ['null', { request: withoutParent }],
  [
    'nothing',
    {
      request: withoutParent,
      response: (response) => {
        delete response['previous_response_id'];
      },
    },
  ],
  [
    'an empty text',
    {
      request: withoutParent,
      response: (response) => {
        response['previous_response_id'] = '';
      },
    },
  ],
];

const isText = (value: unknown): boolean => typeof value === 'string';

const warnings = ({ events }: OtherWorld): unknown[] =>
  events.flatMap((event) =>
    codeOf(event)?.startsWith('parent_') === true && codeOf(event) !== 'parent_refused'
      ? [codeOf(event)]
      : [],
  );

const requests = ({ sent }: OtherServer): string[] =>
  sent.map(({ body }) => (body['previous_response_id'] === undefined ? 'replay' : 'chain'));

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['as JSON', false],
  ['as a stream', true],
])('%s', (_way, stream) => {
  describe.each(RUNS)('with the runner %s', (how) => {
    test.each(IGNORING)(
      'a response to a chained request does not count if it names %s as its parent',
      async (_said, server) => {
        const world = otherWorld(server, stream, how);
        const theirs = replayedWorld(stream);
        for (const text of ['hi', 'what can you do?', 'call weather {}', 'thanks']) {
          const [mine, stock] = [await turn(world, agent, text), await turn(theirs, agent, text)];
          expect(mine.finalOutput).toBe(stock.finalOutput);
          // The answer that counts came from the whole context.
          expect(sightOf(world).at(-1)).toEqual(sightOf(theirs).at(-1));
        }
        expect(warnings(world)).toEqual(['parent_ignored']);
        expect(requests(world)).toEqual(['replay', 'chain', 'replay', 'replay', 'replay', 'replay']);
        const [first] = world.simulator.snapshot().responses;
        expect(world.events).toContainEqual(
          expect.objectContaining({ code: 'parent_ignored', ids: [first?.id] }),
        );
      },
    );

    test.each(IGNORING)(
      'the model never sees a tool result alone if a response names %s as its parent',
      async (_said, server) => {
        const world = otherWorld(server, stream, how);
        const theirs = replayedWorld(stream);
        const [mine, stock] = [
          await turn(world, agent, 'call weather {}'),
          await turn(theirs, agent, 'call weather {}'),
        ];
        expect(mine.finalOutput).toBe(stock.finalOutput);
        expect(sightOf(world).at(-1)).toEqual(sightOf(theirs).at(-1));
      },
    );
  });

  test('an unconfirmed response is not shown, and its request is aborted', async () => {
    const world = otherWorld({ request: withoutParent }, true);
    await turn(world, agent, 'hi');
    const result = await world.runner.run(agent, 'thanks', { session: world.session, stream: true });
    const ids = new Set<unknown>();
    for await (const event of result) {
      if (event.type !== 'raw_model_stream_event' || event.data.type !== 'response_started') continue;
      const { response } = event.data.providerData as { response: Body };
      ids.add(response['id']);
    }
    const [, ignored, whole] = world.sent;
    expect(ignored?.signal?.aborted).toBe(true);
    expect(whole?.signal?.aborted).not.toBe(true);
    expect([...ids]).toEqual([world.simulator.snapshot().responses.at(-1)?.id]);
  });

  test('a server with one ID for all responses never doubles items, nor mixes sessions', async () => {
    let newest: unknown;
    const world = otherWorld(
      {
        request: (body) =>
          body['previous_response_id'] === undefined ? body : { ...body, previous_response_id: newest },
        response: (response) => {
          if (response['id'] !== 'resp_1') newest = response['id'];
          response['id'] = 'resp_1';
          if (isText(response['previous_response_id'])) response['previous_response_id'] = 'resp_1';
        },
      },
      stream,
    );
    const theirs = replayedWorld(stream);
    const other = new HybridSession({ client: world.client, ledger: memoryLedger() });
    for (const text of ['hi', 'what can you do?', 'call weather {}', 'thanks']) {
      await turn(world, agent, text);
      await turn(theirs, agent, text);
      expect(sightOf(world).at(-1)).toEqual(sightOf(theirs).at(-1));
      await turn({ ...world, session: other }, agent, `in another session: ${text}`);
      // The server is asked again each time.
      servers.clear();
      world.reopen();
    }
  });

  test('an answer from a cache does not count if it names another response as its parent', async () => {
    const answers = new Map<unknown, Body>();
    const world = otherWorld(
      {
        response: (response, { input }) => {
          const key = JSON.stringify(input);
          const kept = answers.get(key);
          if (kept !== undefined) Object.assign(response, structuredClone(kept));
          else if (response['status'] === 'completed') answers.set(key, structuredClone(response));
        },
      },
      stream,
    );
    for (const text of ['hi', 'go on', 'go on']) await turn(world, agent, text);
    expect(warnings(world)).toEqual(['parent_ignored']);
    expect(requests(world)).toEqual(['replay', 'chain', 'chain', 'replay']);
  });

  test.each<[string, unknown]>([
    ['the body of an error', { error: { message: 'Previous response not found', code: 404 } }],
    ['another object', { id: 'chatcmpl_1', object: 'chat.completion', choices: [] }],
    ['no output', { id: 'resp_x', object: 'response', status: 'completed', output: null }],
    ['nothing', undefined],
  ])('the history is sent whole if a chained request is answered 200 with %s', async (_what, body) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json' };
    const world = otherWorld(
      {
        request: (asked) =>
          asked['previous_response_id'] === undefined ? asked : new Response(text, { headers }),
      },
      stream,
    );
    for (const said of ['hi', 'what can you do?']) await turn(world, agent, said);
    expect(requests(world)).toEqual(['replay', 'chain', 'replay']);
    expect(sightOf(world).at(-1)).toHaveLength(3);
  });

  test('any other parent ID is accepted, since a gateway may rewrite it', async () => {
    const world = otherWorld(
      {
        response: (response, { previous_response_id: parent }) => {
          if (parent !== undefined) response['previous_response_id'] = 'gateway:1234';
        },
      },
      stream,
    );
    for (const text of ['hi', 'call weather {}', 'thanks']) await turn(world, agent, text);
    expect(requests(world)).toEqual(['replay', 'chain', 'chain', 'chain']);
    expect(warnings(world)).toEqual([]);
  });

  test('api.openai.com gets no additional request', async () => {
    const world = otherWorld({}, stream);
    for (const text of ['hi', 'what can you do?', 'thanks']) await turn(world, searching, text);
    expect(requests(world)).toEqual(['replay', 'chain', 'chain']);
    expect(world.sent.map(({ signal }) => signal?.aborted ?? false)).toEqual([false, false, false]);
  });

  test('the history is sent whole after a response that counts fewer tokens than its parent', async () => {
    const world = otherWorld({ request: withoutParent, response: echo }, stream);
    await turn(world, agent, `hi, ${'my name is Ada and I like long walks. '.repeat(20)}`);
    await turn(world, agent, 'who am I?');
    const suspect = world.simulator.snapshot().responses.at(-1)?.id;
    expect(warnings(world)).toEqual(['parent_maybe_ignored']);
    expect(world.events).toContainEqual(
      expect.objectContaining({ code: 'parent_maybe_ignored', ids: [suspect] }),
    );
    await turn(world, agent, 'and now?');
    // Another process knows no server, but the answer that may lack its context.
    servers.clear();
    world.reopen();
    await world.session.popItem();
    await world.session.popItem();
    await turn(world, agent, 'and later?');
    expect(requests(world)).toEqual(['replay', 'chain', 'replay', 'replay']);
  });

  test('a response is not taken for one without context because of reasoning or shorter instructions', async () => {
    const world = otherWorld({}, stream);
    const thinking = new Agent({ name: 'Thinking', model: 'gpt-5', tools: [weather] });
    for (const text of ['hi', 'call weather {} then call weather {}', 'thanks', 'bye'])
      await turn(world, thinking, text);
    const wordy = new Agent({ name: 'Wordy', model: 'gpt-4.1', instructions: 'Be kind. '.repeat(300) });
    await turn(world, wordy, 'hi again');
    await turn(world, agent, 'x');
    expect(warnings(world)).toEqual([]);
    expect(requests(world).filter((one) => one === 'replay')).toHaveLength(1);
  });
});

describe('a request whose tools the server may run', () => {
  test('a request with hosted tools is sent to an unknown server as a stream, which is aborted before a tool runs', async () => {
    const world = otherWorld({ request: withoutParent }, false);
    await turn(world, searching, 'hi');
    await turn(world, searching, 'what can you do?');
    expect(world.sent.map(({ body }) => body['stream'] ?? false)).toEqual([false, true, false]);
    expect(world.sent[1]?.signal?.aborted).toBe(true);
    expect(warnings(world)).toEqual(['parent_ignored']);
  });

  test('a server proves once that it continues, for the process and for the ledger', async () => {
    const world = otherWorld({}, false);
    const theirs = replayedWorld(false);
    for (const text of ['hi', 'what can you do?', 'thanks']) {
      const [mine, stock] = [await turn(world, searching, text), await turn(theirs, searching, text)];
      const shapes = [mine, stock].map(({ rawResponses }) =>
        rawResponses.map((response) => [Object.keys(response).toSorted(), response.usage.requests]),
      );
      expect(shapes[0]).toEqual(shapes[1]);
    }
    servers.clear();
    world.reopen();
    await turn(world, searching, 'bye');
    expect(world.sent.map(({ body }) => body['stream'] ?? false)).toEqual([false, true, false, false]);
    expect(requests(world)).toEqual(['replay', 'chain', 'chain', 'chain']);
  });

  test.each<[string, (body: Body) => Body | Response]>([
    [
      'refuses streams',
      (body) =>
        body['stream'] === true
          ? Response.json({ error: { message: 'Streaming is not supported' } }, { status: 400 })
          : body,
    ],
    [
      'answers a stream with JSON',
      (body) => (body['stream'] === true ? Response.json({ object: 'response', id: 'resp_x' }) : body),
    ],
  ])('a request with hosted tools is sent whole to a server that %s', async (_what, request) => {
    const world = otherWorld({ request }, false);
    for (const text of ['hi', 'what can you do?']) await turn(world, searching, text);
    expect(requests(world)).toEqual(['replay', 'chain', 'replay']);
    expect(sightOf(world).at(-1)).toHaveLength(3);
  });

  test('a request with hosted tools is not repeated after the caller aborted it', async () => {
    const controller = new AbortController();
    const world = otherWorld(
      {
        request: (body) => {
          if (body['previous_response_id'] !== undefined) controller.abort();
          return withoutParent(body);
        },
      },
      false,
    );
    await turn(world, searching, 'hi');
    await failureOf(turn(world, searching, 'thanks', { signal: controller.signal }));
    expect(requests(world)).toEqual(['replay', 'chain']);
  });
});
