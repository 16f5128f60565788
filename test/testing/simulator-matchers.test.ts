import { Agent, OpenAIConversationsSession, type Session } from '@openai/agents';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSimulator, type Simulator } from '../../mocks/core.ts';
import { HybridSession } from '../../src/index.ts';
import { simulatorMatchers, type ModelRequests, type SimulatorMatchers } from '../../src/testing.ts';

declare module 'vitest' {
  interface Matchers<T> extends SimulatorMatchers<T> {}
}

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

async function talk(simulator: Simulator, session: Session, texts: readonly string[]): Promise<void> {
  for (const text of texts) await simulator.runner().run(agent, text, { session });
}

/** The message of a matcher that fails. */
function failureOf(assertion: () => unknown): string {
  try {
    assertion();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'it passed';
}

beforeAll(() => expect.extend(simulatorMatchers));

describe('toHaveLost and toHaveSeen', () => {
  it('a session that loses answers is told from one that does not', async () => {
    const texts = ['my name is Ada', 'hi', 'what is my name?'];
    const stock = createSimulator({ unlink: 'every-turn' });
    await talk(stock, new OpenAIConversationsSession({ client: stock.client() }), texts);
    expect(stock).toHaveLost();
    expect(stock).toHaveLost(/^Answer 1/);
    expect(stock).not.toHaveLost(/^hi$/);
    expect(stock).not.toHaveSeen('my name is Ada', 'Answer 1', 'what is my name?');

    const hybrid = createSimulator({ unlink: 'every-turn' });
    await talk(hybrid, new HybridSession({ client: hybrid.client() }), texts);
    expect(hybrid).not.toHaveLost();
    expect(hybrid).toHaveSeen('my name is Ada', 'Answer 1', /^hi$/g, /^what/);
    expect(hybrid).not.toHaveSeen(/^hi$/, /^my name/);
  });

  it('a failed assertion names the items that the model lost and saw', async () => {
    const simulator = createSimulator();
    const client = simulator.client();
    await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    await client.responses.create({ model: 'gpt-4.1', input: 'two' });
    expect(failureOf(() => expect(simulator).not.toHaveLost())).toBe(
      'The model lost u "one", a1; it saw u "two"',
    );
    expect(failureOf(() => expect(simulator).toHaveLost('three'))).toBe(
      'The model did not lose three; it lost u "one", a1, and saw u "two"',
    );
    expect(failureOf(() => expect(simulator).toHaveSeen('two', /two/))).toBe(
      'The model did not see /two/ there in u "two"',
    );
    expect(failureOf(() => expect(simulator).not.toHaveSeen('two'))).toBe('The model saw two in u "two"');
  });

  it('one of two equal items counts as lost', async () => {
    const simulator = createSimulator();
    const client = simulator.client();
    const again = { role: 'user' as const, content: 'again' };
    await client.responses.create({ model: 'gpt-4.1', input: [again, again] });
    await client.responses.create({ model: 'gpt-4.1', input: [again] });
    expect(simulator).toHaveLost('again');
  });

  it('items in a compaction are not lost, and those after it can be', async () => {
    const simulator = createSimulator();
    const client = simulator.client();
    const settings = {
      model: 'gpt-4.1',
      context_management: [{ type: 'compaction', compact_threshold: 1000 }],
    };
    const long = await client.responses.create({ ...settings, input: `hi ${'x'.repeat(4000)}` });
    await client.responses.create({ ...settings, input: 'thanks', previous_response_id: long.id });
    expect(simulator).not.toHaveLost();
    await client.responses.create({ ...settings, input: 'bye', previous_response_id: long.id });
    expect(simulator).toHaveLost('thanks');
    expect(simulator).not.toHaveLost('xxxx');
  });

  it('a request that the model did not answer loses no items', async () => {
    const simulator = createSimulator();
    const client = simulator.client({ maxRetries: 0 });
    simulator.fault('responses.create', { name: 'failed_response', times: 1 });
    await client.responses.create({ model: 'gpt-4.1', input: 'in vain' });
    await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    expect(simulator).not.toHaveLost();
  });

  it('entries of the log stand for one of several dialogues', async () => {
    const simulator = createSimulator();
    for (const key of ['sk-1', 'sk-2'])
      await simulator.client({ apiKey: key }).responses.create({ model: 'gpt-4.1', input: key });
    expect(simulator).toHaveLost('sk-1');
    expect(simulator.log.filter(({ tenant }) => tenant === 'tenant-2')).not.toHaveLost();
  });

  it('a subject without a request of the model is refused, also with not', () => {
    const empty = 'No request of this log reached the model';
    expect(() => expect(createSimulator()).not.toHaveSeen('hi')).toThrow(new TypeError(empty));
    expect(() => expect(createSimulator()).not.toHaveLost()).toThrow(new TypeError(empty));
    for (const other of [undefined, 'log', { log: 'x' }])
      expect(() => simulatorMatchers.toHaveLost(other as unknown as ModelRequests)).toThrow(
        new TypeError('Expected a simulator, or entries of its log'),
      );
  });
});
