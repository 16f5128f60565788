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

/** A session that forwards only what the contract requires, so that assistant IDs are replayed. */
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
    'keeps only the newest answer of %s when the list unlinks at every turn',
    async (model) => {
      const { list, answers } = await listAfterFourTurns({ unlink: 'every-turn' }, model);
      expect(list).toBe('u,u,u,u,a');
      expect(answers[3]).toBe(
        'Answer 4: I see 5 items (4u 1a): u "hi", u "what can you do?", u "give me one example", a3, u "thanks"',
      );
    },
  );

  it.each(['gpt-5.4', 'gpt-5.5'])(
    'keeps only the newest answer of %s when its IDs are replayed',
    async (model) => {
      const { list } = await listAfterFourTurns({ unlink: 'id-replay' }, model, withoutOptionalHooks);
      expect(list).toBe('u,u,u,u,a');
    },
  );

  it('keeps every answer of gpt-5.4 when the SDK strips their IDs', async () => {
    const { list } = await listAfterFourTurns({ unlink: 'id-replay' }, 'gpt-5.4');
    expect(list).toBe('u,a,u,a,u,a,u,a');
  });

  it.each(['gpt-4.1', 'gpt-5.2'])('keeps every answer of %s under every policy', async (model) => {
    for (const unlink of ['every-turn', 'id-replay', 'none'] as const) {
      const { list, answers } = await listAfterFourTurns({ unlink }, model, withoutOptionalHooks);
      expect(list).toBe('u,a,u,a,u,a,u,a');
      expect(answers[3]).toBe(
        'Answer 4: I see 7 items (4u 3a): u "hi", a1, u "what can you do?", a2, u "give me one example", a3, u "thanks"',
      );
    }
  });

  it('keeps every answer when nothing unlinks', async () => {
    const { list } = await listAfterFourTurns({ unlink: 'none' }, 'gpt-5.4', withoutOptionalHooks);
    expect(list).toBe('u,a,u,a,u,a,u,a');
  });

  it('loses what a function of the user names', async () => {
    const { list } = await listAfterFourTurns(
      { unlink: ({ input }) => input.slice(0, -1).map(({ id }) => id) },
      'gpt-4.1',
    );
    expect(list).toBe('a,a,a,u,a');
  });

  it('leaves unlinked answers readable through their responses and linkable by ID', async () => {
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
