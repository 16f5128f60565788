import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession, run } from '../../src/index.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { assistantAgent, codeOf, historyOf, recorder } from './support/story.ts';

type Fields = Record<string, unknown>;

/** How a server lists items, by a name for the difference. */
const LISTED: Readonly<Record<string, (item: Fields) => Fields>> = {
  'the output of a function as parts': (item) =>
    typeof item['output'] === 'string'
      ? { ...item, output: [{ type: 'input_text', text: item['output'] }] }
      : item,
  'the output of a function as an output text': (item) =>
    typeof item['output'] === 'string'
      ? { ...item, output: [{ type: 'output_text', text: item['output'] }] }
      : item,
  'arguments with other blanks': (item) =>
    typeof item['arguments'] === 'string'
      ? { ...item, arguments: JSON.stringify(JSON.parse(item['arguments']), null, 2) }
      : item,
  'content as a string': (item) => withContent(item, (parts) => parts.map(({ text }) => text).join('')),
  'texts of the type text': (item) =>
    withContent(item, (parts) => parts.map(({ text }) => ({ type: 'text', text }))),
  'texts without blanks at the end': (item) =>
    withContent(item, (parts) => parts.map((part) => ({ ...part, text: String(part['text']).trimEnd() }))),
  'messages without a type': (item) => {
    const { type, ...message } = item;
    return type === 'message' ? message : item;
  },
};

function withContent(item: Fields, change: (parts: readonly Fields[]) => unknown): Fields {
  const { content } = item;
  return item['type'] === 'message' && Array.isArray(content) ? { ...item, content: change(content) } : item;
}

/** A client of a server whose answers to these requests are other ones. */
function clientOf(
  { fetch }: SimulatorCore,
  project: string,
  change: (path: string, answer: Response) => Promise<Response>,
): OpenAI {
  const changed: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    return change(`${init?.method ?? 'GET'} ${pathname}`, await fetch(input, init));
  };
  const baseURL = 'http://127.0.0.1/v1';
  return new OpenAI({ apiKey: 'test', project, baseURL, fetch: changed, maxRetries: 0 });
}

async function withItems(answer: Response, change: (item: Fields) => Fields): Promise<Response> {
  const page = (await answer.json()) as Fields & { readonly data: readonly Fields[] };
  return Response.json({ ...page, data: page.data.map((item) => change(item)) });
}

const QUESTIONS = [
  'hi',
  'call get_weather {"city":"Oslo"}',
  'hi',
  'call get_weather {"city":"Bergen"}',
  'thanks \r\n',
];

/** Each turn in a process of its own, which knows the conversation's ID alone. */
async function livedWith(client: OpenAI, level: 'stock' | 'chain') {
  const { events, onEvent } = recorder();
  let conversationId: string | undefined;
  const session = (): HybridSession => new HybridSession({ client, conversationId, onEvent });
  for (const question of QUESTIONS) {
    const own = session();
    if (level === 'stock') await simulatedRunner(client).run(assistantAgent(), question, { session: own });
    else await run(assistantAgent(), question, { session: own });
    conversationId = own.conversationId;
  }
  return { last: session(), warnings: events.flatMap((event) => codeOf(event) ?? []) };
}

describe.each(['stock', 'chain'] as const)('a process per request with the %s runner', (level) => {
  it.each(
    Object.keys(LISTED).flatMap((form) =>
      (['none', 'every-turn'] as const).map((unlink) => [form, unlink] as const),
    ),
  )('each item stays once on a server that lists %s, with unlinking by %s', async (form, unlink) => {
    const { simulator } = simulated({ unlink });
    const client = clientOf(simulator, `list ${form} ${unlink} ${level}`, async (path, answer) =>
      path.endsWith('/items') && answer.ok ? withItems(answer, LISTED[form] ?? ((item) => item)) : answer,
    );
    const { last, warnings } = await livedWith(client, level);
    expect(await historyOf(last)).toBe('u,a,u,c,r,a,u,a,u,c,r,a,u,a');
    expect(texts((await last.getItems()).filter((item) => 'role' in item && item.role === 'user'))).toEqual(
      QUESTIONS,
    );
    expect(await last.verify()).toMatchObject({ verified: true, unproven: 0 });
    expect(warnings).toEqual([]);
  });

  it.each([
    ['has no route for the items of an input', /^GET .*\/input_items$/, 405],
    ['has no route for a response', /^GET .*\/responses\//, 501],
    ['fails at the items of an input', /^GET .*\/input_items$/, 500],
  ])('a proven list is enough for the next process if the server %s', async (_how, route, status) => {
    const { simulator } = simulated();
    const client = clientOf(simulator, `routes ${String(route)} ${status} ${level}`, async (path, answer) =>
      route.test(path) ? Response.json({ error: { message: 'No route' } }, { status }) : answer,
    );
    const { last, warnings } = await livedWith(client, level);
    expect(await historyOf(last)).toBe('u,a,u,c,r,a,u,a,u,c,r,a,u,a');
    expect(warnings).toEqual([]);
  });

  it('a proven list is enough for the next process if the items of an input have no IDs', async () => {
    const { simulator } = simulated();
    const client = clientOf(simulator, `no IDs ${level}`, async (path, answer) =>
      path.endsWith('/input_items') ? withItems(answer, ({ id: _id, ...item }) => item) : answer,
    );
    const { last, warnings } = await livedWith(client, level);
    expect(await historyOf(last)).toBe('u,a,u,c,r,a,u,a,u,c,r,a,u,a');
    expect(warnings).toEqual([]);
  });
});
