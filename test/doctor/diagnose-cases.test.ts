import { Agent, OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/faults/fault-table.ts';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { diagnose } from '../../src/doctor.ts';
import { assistantAgent, converse, TURNS } from '../flows/support/story.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { lane, look, said, stockConversation, type StockConversation } from './support.ts';

const everything = ({ answers }: StockConversation): (string | undefined)[] =>
  TURNS.flatMap((turn, index) => [turn, answers[index]]);

describe('responses that are not there', () => {
  it('items of missing responses are restored from the inputs of later ones', async () => {
    const told = await stockConversation(TURNS);
    const [first = '', second] = told.responses;
    await told.client.responses.delete(first);
    const found = await look(told, { responses: told.responses });
    expect(said(found)).toEqual(everything(told));
    expect(found.verdict).toBe('repairable');
    expect(found.timeline[1]?.sources).toEqual([{ source: 'chain', responseId: second }]);
    expect(found.responses.filter(({ status }) => status === 'missing')).toMatchObject([{ id: first }]);
  });

  it('a missing response leaves a gap when no other source holds its output', async () => {
    const told = await stockConversation(TURNS);
    const [, second = '', third = ''] = told.responses;
    for (const id of [second, third]) await told.client.responses.delete(id);
    const found = await look(told, { responses: told.responses });
    expect(lane(found)).toBe('u,A,u,u,A,u,a');
    expect(found.verdict).toBe('unrecoverable');
    expect(found.caveats).toContainEqual({ kind: 'unanswered', count: 1, indexes: [2] });
    expect(found.caveats).toContainEqual({ kind: 'response_missing', count: 2, indexes: [] });
  });

  it('the verdict is unknown when all responses are gone', async () => {
    const told = await stockConversation(TURNS);
    for (const id of told.responses) await told.client.responses.delete(id);
    const found = await look(told, { responses: told.responses });
    expect(found).toMatchObject({ evidence: 'list', listed: 5, lost: null, verdict: 'unknown' });
    expect(found.caveats).toContainEqual({ kind: 'response_unknown', count: 4, indexes: [] });
  });

  it('given strings that are no response IDs do not change the verdict', async () => {
    const told = await stockConversation(TURNS);
    for (const responses of [['nonsense'], ['resp_nonsense']]) {
      const found = await look(told, { responses });
      expect(found).toMatchObject({ verdict: 'unknown', lost: null });
      const [first = ''] = told.responses;
      const partly = await look(told, { responses: [first, ...responses] });
      expect(partly.verdict).toBe((await look(told, { responses: [first] })).verdict);
    }
  });

  it('an error of the server is passed on, and counts no response as missing', async () => {
    const told = await stockConversation(TURNS);
    const fault: Fault = { name: 'server_error', times: 1 };
    told.simulator.fault('responses.retrieve', fault);
    await expect(look(told, { responses: told.responses })).rejects.toMatchObject({ status: 500 });
  });
});

describe('some responses only', () => {
  it('some responses restore their items, and the rest is unaccounted', async () => {
    const told = await stockConversation(TURNS);
    const found = await look(told, { responses: told.responses.slice(0, 1) });
    expect(lane(found)).toBe('u,A,u,u,u,a');
    expect(found.verdict).toBe('repairable');
    expect(found.caveats.map(({ kind }) => kind)).toEqual(['before_first', 'unaccounted', 'unanswered']);
  });

  it('responses of the beginning do not make a list whole', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses.slice(0, 1) });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found.verdict).toBe('unknown');
    expect(found.caveats).toContainEqual({ kind: 'unaccounted', count: 6, indexes: [2, 3, 4, 5, 6, 7] });
  });

  it('the newest response makes a list whole when its input holds all of it', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses.slice(-1) });
    expect(found.verdict).toBe('whole');
  });
});

describe('responses of something else', () => {
  it('responses of another conversation are left out', async () => {
    const told = await stockConversation(TURNS);
    const before = new Set(told.responses);
    const other = new OpenAIConversationsSession({ client: told.client });
    await converse(simulatedRunner(told.client), other, ['tell me of whales', 'and of sharks']);
    const strangers = told.simulator.snapshot().responses.flatMap(({ id }) => (before.has(id) ? [] : [id]));
    const found = await look(told, { responses: [...strangers, ...told.responses] });
    expect(said(found)).toEqual(everything(told));
    expect(found.responses.filter(({ status }) => status === 'unrelated').map(({ id }) => id)).toEqual(
      strangers,
    );
  });

  it('responses of another conversation with the same words are left out', async () => {
    const told = await stockConversation(TURNS);
    const before = new Set(told.responses);
    const other = new OpenAIConversationsSession({ client: told.client });
    await converse(simulatedRunner(told.client), other, TURNS, {
      agent: new Agent({ name: 'Old', model: 'gpt-4.1' }),
    });
    const strangers = told.simulator.snapshot().responses.flatMap(({ id }) => (before.has(id) ? [] : [id]));
    expect(strangers).toHaveLength(4);
    const found = await look(told, { responses: [...told.responses, ...strangers] });
    expect(said(found)).toEqual(everything(told));
    const used = found.responses.flatMap(({ id, status }) => (status === 'used' ? [id] : []));
    expect(used).toEqual(told.responses);
  });

  it('responses are told apart by their conversation', async () => {
    const { client, simulator } = simulated();
    const [one, two] = [await client.conversations.create(), await client.conversations.create()];
    const ids: string[] = [];
    for (const conversation of [one.id, two.id, one.id]) {
      ids.push((await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation })).id);
    }
    const found = await look({ client, conversationId: one.id }, { responses: ids });
    expect(found.responses.map(({ status }) => status)).toEqual(['used', 'elsewhere', 'used']);
    expect(lane(found)).toBe('u,a,u,a');
    expect(found.verdict).toBe('whole');
    expect(simulator.log.every(({ method }) => method === 'GET' || method === 'POST')).toBe(true);
  });

  it('responses of an agent used as a tool are left out', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const helper = new Agent({ name: 'Helper', model: 'gpt-5.4' });
    const agent = new Agent({
      name: 'Main',
      model: 'gpt-5.4',
      tools: [helper.asTool({ toolName: 'ask_helper', toolDescription: 'Ask the helper' })],
    });
    const session = new OpenAIConversationsSession({ client });
    await converse(simulatedRunner(client), session, ['call ask_helper {"input":"whales"}', 'thanks'], {
      agent,
    });
    const conversationId = await session.getSessionId();
    const responses = simulator.snapshot().responses.map(({ id }) => id);
    const found = await look({ client, conversationId }, { responses });
    expect(lane(found)).toBe('u,c,r,A,u,a');
    expect(found.responses.map(({ status }) => status)).toEqual(['used', 'unrelated', 'used', 'used']);
  });
});

describe('responses that came to nothing', () => {
  it.each([
    ['failed_response', 'failed', 'u,a'],
    ['incomplete_response', 'used', 'u,a,u,A'],
  ] as const)('a response without a result has its own status: %s', async (name, status, expected) => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const request = { model: 'gpt-4.1', input: 'hi', conversation: conversationId };
    const whole = await client.responses.create(request);
    simulator.fault('responses.create', { name, times: 1 });
    const cut = await client.responses.create(request);
    const { data } = await client.conversations.items.list(conversationId, { order: 'asc' });
    for (const { id = '' } of data.slice(3))
      await client.conversations.items.delete(id, { conversation_id: conversationId });
    const found = await look({ client, conversationId }, { responses: [whole.id, cut.id] });
    expect(found.responses.map((one) => one.status)).toEqual(['used', status]);
    expect(lane(found)).toBe(expected);
  });

  it('a response in progress is unfinished', async () => {
    const { client } = simulated();
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const { id: conversationId } = await client.conversations.create({
      items: [{ role: 'user', content: 'hi' }],
    });
    const running = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    const found = await look({ client, conversationId }, { responses: [first.id, running.id] });
    expect(found.responses.map(({ status }) => status)).toEqual(['used', 'unfinished']);
    expect(lane(found)).toBe('u,A');
  });

  it('a response that was not stored is missing', async () => {
    const { client } = simulated();
    const { id } = await client.responses.create({ model: 'gpt-4.1', input: 'hi', store: false });
    const { id: conversationId } = await client.conversations.create();
    const found = await look({ client, conversationId }, { responses: [id] });
    expect(found.responses).toMatchObject([{ id, status: 'missing' }]);
    expect(found).toMatchObject({ verdict: 'unknown', length: 0, timeline: [] });
  });
});

describe('chains', () => {
  it.each(['own', 'inherited'] as const)(
    'a chain is walked from its end (input items: %s)',
    async (inputItems) => {
      const { client } = simulated({ inputItems });
      let previous: string | undefined;
      const answers: string[] = [];
      for (const input of TURNS) {
        const made = await client.responses.create({
          model: 'gpt-4.1',
          input,
          ...(previous === undefined ? {} : { previous_response_id: previous }),
        });
        previous = made.id;
        answers.push(made.output_text);
      }
      const { id: conversationId } = await client.conversations.create({
        items: TURNS.map((content) => ({ role: 'user' as const, content })),
      });
      const found = await look({ client, conversationId }, { responses: [previous ?? ''] });
      expect(lane(found)).toBe('u,A,u,A,u,A,u,A');
      expect(said(found)).toEqual(TURNS.flatMap((turn, index) => [turn, answers[index]]));
      expect(found.responses.map(({ from }) => from)).toEqual(['given', 'chain', 'chain', 'chain']);
    },
  );

  it('only the branch that the conversation took belongs to it', async () => {
    const { client } = simulated();
    const model = 'gpt-4.1';
    const root = await client.responses.create({ model, input: 'hi' });
    const left = await client.responses.create({ model, input: 'left', previous_response_id: root.id });
    const right = await client.responses.create({ model, input: 'right', previous_response_id: root.id });
    const { id: conversationId } = await client.conversations.create({
      items: [
        { role: 'user', content: 'hi' },
        { role: 'user', content: 'right' },
        { role: 'assistant', content: right.output_text },
      ],
    });
    const found = await look({ client, conversationId }, { responses: [root.id, left.id, right.id] });
    expect(said(found)).toEqual(['hi', root.output_text, 'right', right.output_text]);
    expect(found.responses.map(({ status }) => status)).toEqual(['used', 'superseded', 'used']);
  });
});

describe('tools', () => {
  it('tool calls stay together with their results', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new OpenAIConversationsSession({ client });
    const turns = ['call get_weather {"city":"Rome"}', 'thanks', 'call get_weather {"city":"Oslo"}', 'bye'];
    await converse(simulatedRunner(client), session, turns, { agent: assistantAgent() });
    const conversationId = await session.getSessionId();
    const { data } = await client.conversations.items.list(conversationId, { order: 'asc', limit: 100 });
    const call = data.find(({ type }) => type === 'function_call');
    await client.conversations.items.delete(call?.id ?? '', { conversation_id: conversationId });
    const responses = simulator.snapshot().responses.map(({ id }) => id);
    const found = await look({ client, conversationId }, { responses });
    expect(lane(found)).toBe('u,C,r,A,u,A,u,c,r,A,u,a');
    expect(found.verdict).toBe('repairable');
  });
});

async function withoutAnswers() {
  const told = await stockConversation(TURNS.slice(0, 2), { unlink: 'none', model: 'gpt-5' });
  const { client, conversationId } = told;
  const { data } = await client.conversations.items.list(conversationId, { order: 'asc' });
  for (const { id = '', type, ...item } of data)
    if (type === 'message' && 'role' in item && item.role === 'assistant')
      await client.conversations.items.delete(id, { conversation_id: conversationId });
  return told;
}

describe('reasoning without what a model made of it', () => {
  it('the list alone shows the loss of an output after reasoning', async () => {
    const found = await look(await withoutAnswers());
    expect(lane(found)).toBe('u,reasoning,u,reasoning');
    expect(found).toMatchObject({ verdict: 'unrecoverable', evidence: 'list', lost: null });
    expect(found.caveats).toContainEqual({ kind: 'lone_reasoning', count: 2, indexes: [1, 3] });
  });

  it('a ledger that adopted the list shows the loss after reasoning, too', async () => {
    const told = await withoutAnswers();
    const ledger = memoryLedger();
    await new HybridSession({ client: told.client, conversationId: told.conversationId, ledger }).verify();
    const found = await look(told, { ledger });
    expect(found.verdict).toBe('unrecoverable');
  });

  it('responses that hold the output repair the loss after reasoning', async () => {
    const told = await withoutAnswers();
    const found = await look(told, { responses: told.responses });
    expect(lane(found)).toBe('u,reasoning,A,u,reasoning,A');
    expect(found).toMatchObject({ verdict: 'repairable', lost: 2 });
  });

  it('reasoning at the end of an incomplete response is no loss', async () => {
    const { client } = simulated({ respond: () => ({ reasoning: '', incomplete: 'max_output_tokens' }) });
    const { id: conversation } = await client.conversations.create();
    const made = await client.responses.create({ model: 'gpt-5', input: 'hi', conversation });
    const found = await look({ client, conversationId: conversation }, { responses: [made.id] });
    expect(lane(found)).toBe('u,reasoning');
    expect(found.verdict).toBe('whole');
  });
});

describe('a long conversation', () => {
  it('a long conversation is reconstructed from the ends of its inputs', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const timeline: string[] = [];
    const responses: string[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const own = Array.from({ length: 5 }, (_, at) => `${turn}.${at}`);
      const input = [...timeline, ...own].map((content, at) => ({
        role: at % 6 === 5 ? ('assistant' as const) : ('user' as const),
        content,
      }));
      const made = await client.responses.create({ model: 'gpt-4.1', input });
      responses.push(made.id);
      const answer = { role: 'assistant' as const, content: made.output_text };
      const items = [...own.map((content) => ({ role: 'user' as const, content })), answer];
      // Every third answer never gets into the list.
      const written = turn % 3 === 0 ? items.slice(0, 5) : items;
      await client.conversations.items.create(conversationId, { items: written });
      timeline.push(...own, made.output_text);
    }
    const from = simulator.log.length;
    const found = await look({ client, conversationId }, { responses });
    expect(said(found)).toEqual(timeline);
    expect(found.verdict).toBe('repairable');
    const reads = simulator.log.slice(from).filter(({ path }) => path.endsWith('/input_items'));
    expect(reads.length).toBeLessThan(2 * responses.length);
  });
});

describe('a list that cannot be trusted', () => {
  it.each([
    ['dropped_items', 'repairable', 'lost'],
    ['duplicated_items', 'repairable', 'duplicated'],
    ['reordered_items', 'repairable', 'reordered'],
  ] as const)('the diagnosis finds the damage of a list: %s', async (name, verdict, type) => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const ids: string[] = [];
    for (const input of TURNS)
      ids.push((await client.responses.create({ model: 'gpt-4.1', input, conversation: conversationId })).id);
    const timeline = said(await look({ client, conversationId }, { responses: ids }));
    simulator.fault('conversations.items.list', name);
    const found = await look({ client, conversationId }, { responses: ids });
    expect(said(found)).toEqual(timeline);
    expect(found.verdict).toBe(verdict);
    expect(found.findings.map((finding) => finding.type)).toContain(type);
  });

  it('a list is read again before its newest items count as lost', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    told.simulator.fault('conversations.items.list', { name: 'lagging_items', count: 2, times: 1 });
    const found = await look(told, { responses: told.responses });
    expect(found).toMatchObject({ verdict: 'whole', listed: 8 });
  });

  it('a diagnosis writes nothing', async () => {
    const told = await stockConversation(TURNS);
    const from = told.simulator.log.length;
    await look(told, { responses: told.responses });
    expect(new Set(told.simulator.log.slice(from).map(({ method }) => method))).toEqual(new Set(['GET']));
  });
});

describe('a conversation that is not there', () => {
  it('an unknown conversation is an error', async () => {
    const { client } = simulated();
    await expect(diagnose({ client, conversationId: 'conv_unknown' })).rejects.toMatchObject({
      code: 'conversation_not_found',
    });
  });

  it('a deleted conversation is restored from the responses made in it', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const made = await client.responses.create({
      model: 'gpt-4.1',
      input: 'hi',
      conversation: conversationId,
    });
    await client.conversations.delete(conversationId);
    const found = await look(
      { client: simulatedClient(simulator), conversationId },
      { responses: [made.id] },
    );
    expect(lane(found)).toBe('U,A');
    expect(found).toMatchObject({ verdict: 'repairable', listed: null });
    expect(found.caveats).toContainEqual({ kind: 'list_gone', count: 1, indexes: [] });
  });
});
