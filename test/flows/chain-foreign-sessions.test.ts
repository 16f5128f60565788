import {
  Agent,
  MemorySession,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  tool,
  type Session,
} from '@openai/agents';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner } from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { simulated } from '../support/simulated.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

type SessionOf = (client: OpenAI) => Session | undefined;
type RunnerClass = typeof Runner | typeof HybridRunner;

const sessions: readonly (readonly [string, SessionOf])[] = [
  ['no session', () => undefined],
  ['MemorySession', () => new MemorySession()],
  ['OpenAIConversationsSession', (client) => new OpenAIConversationsSession({ client })],
];

/** Everything that was sent, byte for byte. */
async function sent(RunnerOf: RunnerClass, sessionOf: SessionOf, stream: boolean): Promise<string[]> {
  const requests: string[] = [];
  const { simulator } = simulated();
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://127.0.0.1/v1',
    maxRetries: 0,
    fetch: (url, init) => {
      const { pathname, search } = new URL(url instanceof Request ? url.url : url);
      const body = typeof init?.body === 'string' ? init.body : '';
      requests.push(`${init?.method ?? 'GET'} ${pathname}${search} ${body}`);
      return simulator.fetch(url, init);
    },
  });
  const runner = new RunnerOf({
    modelProvider: new OpenAIProvider({ openAIClient: client }),
    tracingDisabled: true,
  });
  const session = sessionOf(client);
  const options = session === undefined ? {} : { session };
  for (const text of ['hi', 'call weather {}', 'thanks']) {
    if (stream) await (await runner.run(agent, text, { ...options, stream: true })).completed;
    else await runner.run(agent, text, options);
  }
  const last = await runner.run(agent, 'on my own');
  await runner.run(agent, 'go on', { previousResponseId: last.lastResponseId ?? '' });
  return requests;
}

test.each(
  sessions.flatMap(([name, sessionOf]) =>
    WAYS.map(([way, stream]) => [name, way, sessionOf, stream] as const),
  ),
)(
  "HybridRunner sends byte for byte the same as the SDK's runner with %s, %s",
  async (_name, _way, sessionOf, stream) => {
    const ours = await sent(HybridRunner, sessionOf, stream);
    expect(ours).toEqual(await sent(Runner, sessionOf, stream));
    expect(ours.length).toBeGreaterThan(5);
  },
);
