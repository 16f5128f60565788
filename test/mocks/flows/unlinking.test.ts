import { Agent, OpenAIConversationsSession, OpenAIProvider, Runner, type Session } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  createSimulator,
  outline,
  textOf,
  type Simulator,
  type SimulatorOptions,
} from '../../../mocks/index.ts';

const TURNS = ['hi', 'what can you do?', 'give me one example', 'thanks'];

function clientOf(simulator: Simulator): OpenAI {
  return new OpenAI({ apiKey: 'sk-test', fetch: simulator.fetch, maxRetries: 0 });
}

async function converse(simulator: Simulator, model: string, session: Session): Promise<string[]> {
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: clientOf(simulator), useResponses: true }),
    tracingDisabled: true,
  });
  const agent = new Agent({ name: 'Assistant', model });
  const answers: string[] = [];
  for (const turn of TURNS) {
    const result = await runner.run(agent, turn, { session });
    answers.push(String(result.finalOutput));
  }
  return answers;
}

/** A session with the required methods of the contract alone, so that assistant IDs are replayed. */
function withoutOptionalHooks(session: Session): Session {
  return {
    getSessionId: () => session.getSessionId(),
    getItems: (limit) => session.getItems(limit),
    addItems: (items) => session.addItems(items),
    popItem: () => session.popItem(),
    clearSession: () => session.clearSession(),
  };
}

async function listAfterFourTurns(
  options: SimulatorOptions,
  model: string,
  wrap: (session: Session) => Session = (session) => session,
): Promise<{ list: string; answers: string[] }> {
  const simulator = createSimulator(options);
  const session = new OpenAIConversationsSession({ client: clientOf(simulator) });
  const answers = await converse(simulator, model, wrap(session));
  return { list: outline(await session.getItems()), answers };
}

describe('the stock conversations session over four turns', () => {
  it.each(['gpt-5.4', 'gpt-5.5', 'gpt-5.4-2026-03-05', 'gpt-5.4-mini'])(
    'a stock session keeps only the newest answer of %s if the API unlinks at every turn',
    async (model) => {
      const { list, answers } = await listAfterFourTurns({ unlink: 'every-turn' }, model);
      expect(list).toBe('u,u,u,u,a');
      expect(answers[3]).toBe(
        'Answer 4: I see 5 items (4u 1a): u "hi", u "what can you do?", u "give me one example", a3, u "thanks"',
      );
    },
  );

  it.each(['gpt-5.4', 'gpt-5.5'])(
    'a stock session keeps only the newest answer of %s if its IDs are replayed',
    async (model) => {
      const { list } = await listAfterFourTurns({ unlink: 'id-replay' }, model, withoutOptionalHooks);
      expect(list).toBe('u,u,u,u,a');
    },
  );

  it('a stock session keeps every answer of gpt-5.4 if the SDK strips their IDs', async () => {
    const { list } = await listAfterFourTurns({ unlink: 'id-replay' }, 'gpt-5.4');
    expect(list).toBe('u,a,u,a,u,a,u,a');
  });

  it.each(['gpt-4.1', 'gpt-5.2'])(
    'a stock session keeps every answer of %s under every policy',
    async (model) => {
      for (const unlink of ['every-turn', 'id-replay', 'none'] as const) {
        const { list, answers } = await listAfterFourTurns({ unlink }, model, withoutOptionalHooks);
        expect(list).toBe('u,a,u,a,u,a,u,a');
        expect(answers[3]).toBe(
          'Answer 4: I see 7 items (4u 3a): u "hi", a1, u "what can you do?", a2, u "give me one example", a3, u "thanks"',
        );
      }
    },
  );

  it('a stock session keeps every answer without unlinking', async () => {
    const { list } = await listAfterFourTurns({ unlink: 'none' }, 'gpt-5.4', withoutOptionalHooks);
    expect(list).toBe('u,a,u,a,u,a,u,a');
  });

  it('a stock session loses the items that a function of the user names', async () => {
    const { list } = await listAfterFourTurns(
      { unlink: ({ input }) => input.slice(0, -1).map(({ id }) => id) },
      'gpt-4.1',
    );
    expect(list).toBe('a,a,a,u,a');
  });

  it('a damaged conversation can be copied from its responses, and the copy stays whole', async () => {
    const simulator = createSimulator({ unlink: 'every-turn' });
    const client = clientOf(simulator);
    const session = new OpenAIConversationsSession({ client });
    for (let round = 0; round < 4; round += 1) await converse(simulator, 'gpt-5.4', session);
    const links = simulator
      .snapshot()
      .responses.flatMap(({ input, output }) => [...input.slice(-1), ...output]);
    const { id } = await client.conversations.create();
    for (let from = 0; from < links.length; from += 20) {
      await client.conversations.items.create(id, {
        items: links.slice(from, from + 20).map((item) => ({ type: 'item_reference' as const, id: item.id })),
      });
    }
    const copy = await client.conversations.items.list(id, { order: 'asc', limit: 100 });
    expect(outline(copy.data)).toBe(Array.from({ length: 16 }, () => 'u,a').join(','));
  });

  it('unlinked answers can be read through their responses and linked by ID', async () => {
    const simulator = createSimulator({ unlink: 'every-turn' });
    const client = clientOf(simulator);
    const session = new OpenAIConversationsSession({ client });
    await converse(simulator, 'gpt-5.4', session);
    const { responses } = simulator.snapshot();
    const first = await client.responses.retrieve(responses[0]?.id ?? '');
    expect(first.output_text).toBe('Answer 1: I see 1 item (1u): u "hi"');

    const conversation = await client.conversations.create({
      items: responses.flatMap(({ input, output }) =>
        [...input.slice(-1), ...output].map(({ id }) => ({ type: 'item_reference' as const, id })),
      ),
    });
    const { data } = await client.conversations.items.list(conversation.id, { order: 'asc' });
    expect(outline(data)).toBe('u,a,u,a,u,a,u,a');
    expect(textOf(data[1] ?? {})).toBe(first.output_text);
  });
});

const fourTurns = async (model: string, reads: boolean): Promise<string> => {
  const client = clientOf(createSimulator({ unlink: 'every-turn' }));
  const { id } = await client.conversations.create();
  const history: { role: 'user' | 'assistant'; content: string }[] = [];
  for (const turn of TURNS) {
    history.push({ role: 'user', content: turn });
    if (reads) await client.conversations.items.list(id);
    const { output_text: answer } = await client.responses.create({ model, input: history });
    history.push({ role: 'assistant', content: answer });
    await client.conversations.items.create(id, { items: history.slice(-2) });
  }
  return outline((await client.conversations.items.list(id, { order: 'asc' })).data);
};

describe('a client without the SDK', () => {
  it('a client without the SDK loses its earlier answers even if it sends no ID and reads no list', async () => {
    expect(await fourTurns('gpt-5.4', false)).toBe('u,u,u,u,a');
    expect(await fourTurns('gpt-5.4', true)).toBe('u,u,u,u,a');
    expect(await fourTurns('gpt-4.1', false)).toBe('u,a,u,a,u,a,u,a');
  });

  it('a client that chains and mirrors only new items loses earlier answers', async () => {
    const client = clientOf(createSimulator({ unlink: 'every-turn' }));
    const { id } = await client.conversations.create();
    let previous: string | null = null;
    for (const input of TURNS) {
      const response: OpenAI.Responses.Response = await client.responses.create({
        model: 'gpt-5.4',
        input,
        previous_response_id: previous,
      });
      previous = response.id;
      await client.conversations.items.create(id, {
        items: [
          { role: 'user', content: input },
          { role: 'assistant', content: response.output_text },
        ],
      });
    }
    expect(outline((await client.conversations.items.list(id, { order: 'asc' })).data)).toBe('u,u,u,u,a');
  });

  it('a client that creates responses in the conversation loses earlier answers', async () => {
    const client = clientOf(createSimulator({ unlink: 'every-turn' }));
    const { id } = await client.conversations.create();
    for (const input of TURNS) await client.responses.create({ model: 'gpt-5.4', input, conversation: id });
    expect(outline((await client.conversations.items.list(id, { order: 'asc' })).data)).toBe('u,u,u,u,a');
  });

  it('equal answers of another model stay linked', async () => {
    const client = clientOf(createSimulator({ unlink: 'every-turn' }));
    const conversations: string[] = [];
    for (const model of ['gpt-5.4', 'gpt-4.1']) {
      const { id } = await client.conversations.create({ items: [{ role: 'assistant', content: 'old' }] });
      const { output_text: text } = await client.responses.create({ model, input: 'hi' });
      await client.conversations.items.create(id, { items: [{ role: 'assistant', content: text }] });
      conversations.push(outline((await client.conversations.items.list(id)).data));
    }
    expect(conversations).toEqual(['a', 'a,a']);
  });

  it('only answers of the named models are unlinked', async () => {
    const simulator = createSimulator({ unlink: 'every-turn', unlinkModels: [/mini$/, 'gpt-4'] });
    const client = clientOf(simulator);
    const lists: string[] = [];
    for (const model of ['gpt-5.4-mini', 'gpt-4-0613', 'gpt-4.1', 'gpt-5.4']) {
      const { id } = await client.conversations.create({ items: [{ role: 'assistant', content: 'old' }] });
      await client.responses.create({ model, input: 'hi', conversation: id });
      lists.push(outline((await client.conversations.items.list(id, { order: 'asc' })).data));
    }
    expect(lists).toEqual(['u,a', 'u,a', 'a,u,a', 'a,u,a']);
  });
});
