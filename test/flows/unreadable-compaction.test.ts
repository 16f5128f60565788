import { Agent, OpenAIChatCompletionsModel } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chainedModel } from '../../src/index.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld, compactedByServer, gpt41, LONG } from './support/compaction-world.ts';
import { converse, historyOf } from './support/story.ts';

useVirtualTime();

describe('a compaction that a model cannot read', () => {
  const unreadable = {
    status: 400,
    code: 'invalid_encrypted_content',
    message: 'The encrypted content could not be verified.',
    times: 1,
  };

  it.each([
    [false, 'forced'],
    [true, 'forced'],
    [false, 'of the server'],
    [true, 'of the server'],
  ] as const)(
    'a refused compaction is left out, and the model sees the whole history from then on (streamed: %s, %s)',
    async (stream, kind) => {
      const { open, chained, simulator, contexts, told } = compactionWorld();
      const session = open();
      const isForced = kind === 'forced';
      const turns = ['one', isForced ? 'two' : LONG];
      await converse(chained, session, turns, { ...(isForced ? gpt41 : compactedByServer), stream });
      if (isForced) await session.runCompaction({ force: true });
      expect(await historyOf(session)).toContain('x');
      simulator.fault('responses.create', unreadable);
      // No response is continued, so that the request holds the compaction.
      const again = open({ advanced: { responseTtl: 1 } });
      passTime(10);
      const tool = 'three call get_weather {"city":"Rome"}';
      await converse(chained, again, [tool, 'four'], { ...gpt41, stream });
      expect(contexts().slice(-3)).toEqual(['u,a,u,a,u', 'u,a,u,a,u,c,r', 'u,a,u,a,u,c,r,a,u']);
      expect(told.of('compaction_left_out')).toHaveLength(1);
      expect(await historyOf(open())).toBe('u,a,u,a,u,c,r,a,u,a');
      expect(await open().verify()).toMatchObject({ verified: true, findings: [] });
    },
  );

  it.each([false, true])(
    'a model of the Chat Completions API sees the whole history (streamed: %s)',
    async (stream) => {
      const { open, chained, told } = compactionWorld();
      const session = open();
      await converse(chained, session, ['one', 'two'], gpt41);
      await session.runCompaction({ force: true });
      const seen: unknown[] = [];
      const agent = new Agent({ name: 'Assistant', model: chainedModel(chatModel(seen)) });
      await converse(chained, session, ['three'], { agent, stream });
      expect(seen).toEqual([['user', 'assistant', 'user', 'assistant', 'user']]);
      expect(told.of('compaction_left_out')).toHaveLength(1);
      expect(await historyOf(session)).toBe('u,a,u,a,u,a');
    },
  );
});

const sentBody = z.object({
  messages: z.array(z.object({ role: z.string() })),
  stream: z.boolean().optional(),
});

function chatAnswer(isStreamed: boolean): Response {
  const message = { role: 'assistant', content: 'fine' };
  const facts = { id: 'chatcmpl_1', created: 1, model: 'other' };
  const choice = { index: 0, finish_reason: 'stop' };
  if (!isStreamed)
    return Response.json({ ...facts, object: 'chat.completion', choices: [{ ...choice, message }] });
  const chunk = { ...facts, object: 'chat.completion.chunk', choices: [{ ...choice, delta: message }] };
  const body = `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** A model of the Chat Completions API that answers "fine", and keeps the roles that it was sent. */
function chatModel(seen: unknown[]): OpenAIChatCompletionsModel {
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://127.0.0.1/chat',
    maxRetries: 0,
    fetch: async (url, init) => {
      const { messages, stream } = sentBody.parse(await new Request(url, init).json());
      seen.push(messages.map(({ role }) => role));
      return chatAnswer(stream === true);
    },
  });
  return new OpenAIChatCompletionsModel(client, 'other');
}
