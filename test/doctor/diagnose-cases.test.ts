import { Agent, OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/faults/fault.ts';
import { diagnose } from '../../src/index.ts';
import { assistantAgent, converse, TURNS } from '../flows/support/story.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { lane, look, said, stockConversation, type StockConversation } from './support.ts';

const everything = ({ answers }: StockConversation): (string | undefined)[] =>
  TURNS.flatMap((turn, index) => [turn, answers[index]]);

describe('responses that are not there', () => {
  it('are made up for by what later ones were given', async () => {
    const told = await stockConversation(TURNS);
    const [first = '', second] = told.responses;
    await told.client.responses.delete(first);
    const found = await look(told, { responses: told.responses });
    expect(said(found)).toEqual(everything(told));
    expect(found.verdict).toBe('repairable');
    expect(found.timeline[1]?.places).toEqual([{ source: 'chain', responseId: second }]);
    expect(found.responses.filter(({ standing }) => standing === 'missing')).toMatchObject([{ id: first }]);
  });

  it('leave a hole when nothing else holds what they answered', async () => {
    const told = await stockConversation(TURNS);
    const [, second = '', third = ''] = told.responses;
    for (const id of [second, third]) await told.client.responses.delete(id);
    const found = await look(told, { responses: told.responses });
    expect(lane(found)).toBe('u,A,u,u,A,u,a');
    expect(found.verdict).toBe('beyond');
    expect(found.limits).toContainEqual({ kind: 'unanswered', count: 1, indexes: [2] });
    expect(found.limits).toContainEqual({ kind: 'response_missing', count: 2, indexes: [] });
  });

  it('cannot tell anything when all of them are gone', async () => {
    const told = await stockConversation(TURNS);
    for (const id of told.responses) await told.client.responses.delete(id);
    const found = await look(told, { responses: told.responses });
    expect(found).toMatchObject({ proof: 'list', listed: 5 });
    expect(found.verdict).toBe('beyond');
  });

  it('are told from those that the server does not give out for another reason', async () => {
    const told = await stockConversation(TURNS);
    const fault: Fault = { name: 'server_error', times: 1 };
    told.simulator.fault('responses.retrieve', fault);
    await expect(look(told, { responses: told.responses })).rejects.toMatchObject({ status: 500 });
  });
});

describe('some responses only', () => {
  it('restore what they know, and the rest is not accounted for', async () => {
    const told = await stockConversation(TURNS);
    const found = await look(told, { responses: told.responses.slice(0, 1) });
    expect(lane(found)).toBe('u,A,u,u,u,a');
    expect(found.verdict).toBe('repairable');
    expect(found.limits.map(({ kind }) => kind)).toEqual(['before_first', 'unaccounted', 'unanswered']);
  });

  it('do not make a list whole of which they know only the beginning', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses.slice(0, 1) });
    expect(lane(found)).toBe('u,a,u,a,u,a,u,a');
    expect(found.verdict).toBe('unknown');
    expect(found.limits).toContainEqual({ kind: 'unaccounted', count: 6, indexes: [2, 3, 4, 5, 6, 7] });
  });

  it('make a list whole when the newest was given all of it', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    const found = await look(told, { responses: told.responses.slice(-1) });
    expect(found.verdict).toBe('whole');
  });
});

describe('responses of something else', () => {
  it('are not mixed in when they answered another conversation', async () => {
    const told = await stockConversation(TURNS);
    const before = new Set(told.responses);
    const other = new OpenAIConversationsSession({ client: told.client });
    await converse(simulatedRunner(told.client), other, ['tell me of whales', 'and of sharks']);
    const strangers = told.simulator.snapshot().responses.flatMap(({ id }) => (before.has(id) ? [] : [id]));
    const found = await look(told, { responses: [...strangers, ...told.responses] });
    expect(said(found)).toEqual(everything(told));
    expect(found.responses.filter(({ standing }) => standing === 'unrelated').map(({ id }) => id)).toEqual(
      strangers,
    );
  });

  it('are not mixed in when the same was said there', async () => {
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
    const used = found.responses.flatMap(({ id, standing }) => (standing === 'used' ? [id] : []));
    expect(used).toEqual(told.responses);
  });

  it('are told apart by the conversation that they were made in', async () => {
    const { client, simulator } = simulated();
    const [one, two] = [await client.conversations.create(), await client.conversations.create()];
    const ids: string[] = [];
    for (const conversation of [one.id, two.id, one.id]) {
      ids.push((await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation })).id);
    }
    const found = await look({ client, conversationId: one.id }, { responses: ids });
    expect(found.responses.map(({ standing }) => standing)).toEqual(['used', 'elsewhere', 'used']);
    expect(lane(found)).toBe('u,a,u,a');
    expect(found.verdict).toBe('whole');
    expect(simulator.log.every(({ method }) => method === 'GET' || method === 'POST')).toBe(true);
  });

  it('are not mixed in when an agent was used as a tool', async () => {
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
    expect(found.responses.map(({ standing }) => standing)).toEqual(['used', 'unrelated', 'used', 'used']);
  });
});

describe('responses that came to nothing', () => {
  it.each([
    ['failed_response', 'failed', 'u,a'],
    ['incomplete_response', 'used', 'u,a,u,A'],
  ] as const)('are seen for what they are: %s', async (name, standing, expected) => {
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
    expect(found.responses.map((one) => one.standing)).toEqual(['used', standing]);
    expect(lane(found)).toBe(expected);
  });

  it('are waited for by nobody while they are still being made', async () => {
    const { client } = simulated();
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const { id: conversationId } = await client.conversations.create({
      items: [{ role: 'user', content: 'hi' }],
    });
    const running = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    const found = await look({ client, conversationId }, { responses: [first.id, running.id] });
    expect(found.responses.map(({ standing }) => standing)).toEqual(['used', 'unfinished']);
    expect(lane(found)).toBe('u,A');
  });

  it('never were, when they were not stored', async () => {
    const { client } = simulated();
    const { id } = await client.responses.create({ model: 'gpt-4.1', input: 'hi', store: false });
    const { id: conversationId } = await client.conversations.create();
    const found = await look({ client, conversationId }, { responses: [id] });
    expect(found.responses).toMatchObject([{ id, standing: 'missing' }]);
    expect(found).toMatchObject({ verdict: 'unknown', length: 0, timeline: [] });
  });
});

describe('chains', () => {
  it.each(['own', 'inherited'] as const)(
    'are walked from their end (input items: %s)',
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

  it('may branch: only the branch that the conversation took belongs to it', async () => {
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
    expect(found.responses.map(({ standing }) => standing)).toEqual(['used', 'superseded', 'used']);
  });
});

describe('tools', () => {
  it('are kept together with their results', async () => {
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

describe('a long conversation', () => {
  it('is put together from the ends of its inputs', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const truth: string[] = [];
    const responses: string[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const own = Array.from({ length: 5 }, (_, at) => `${turn}.${at}`);
      const input = [...truth, ...own].map((content, at) => ({
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
      truth.push(...own, made.output_text);
    }
    const from = simulator.log.length;
    const found = await look({ client, conversationId }, { responses });
    expect(said(found)).toEqual(truth);
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
  ] as const)('is seen through: %s', async (name, verdict, type) => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create();
    const ids: string[] = [];
    for (const input of TURNS)
      ids.push((await client.responses.create({ model: 'gpt-4.1', input, conversation: conversationId })).id);
    const truth = said(await look({ client, conversationId }, { responses: ids }));
    simulator.fault('conversations.items.list', { name, count: 1 });
    const found = await look({ client, conversationId }, { responses: ids });
    expect(said(found)).toEqual(truth);
    expect(found.verdict).toBe(verdict);
    expect(found.findings.map((finding) => finding.type)).toContain(type);
  });

  it('is asked again before the newest items are called lost', async () => {
    const told = await stockConversation(TURNS, { unlink: 'none' });
    told.simulator.fault('conversations.items.list', { name: 'lagging_items', count: 2, times: 1 });
    const found = await look(told, { responses: told.responses });
    expect(found).toMatchObject({ verdict: 'whole', listed: 8 });
  });

  it('is never written to, and neither is anything else', async () => {
    const told = await stockConversation(TURNS);
    const from = told.simulator.log.length;
    await look(told, { responses: told.responses });
    expect(new Set(told.simulator.log.slice(from).map(({ method }) => method))).toEqual(new Set(['GET']));
  });
});

describe('a conversation that is not there', () => {
  it('is an error', async () => {
    const { client } = simulated();
    await expect(diagnose({ client, conversationId: 'conv_unknown' })).rejects.toMatchObject({
      code: 'conversation_not_found',
    });
  });

  it('is restored from the responses that were made in it', async () => {
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
    expect(found.limits).toContainEqual({ kind: 'list_gone', count: 1, indexes: [] });
  });
});
