import { codeOf } from './support/story.ts';
import { Agent, RunReasoningItem, type AgentInputItem, type Handoff, type Runner } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
  type HybridSessionOptions,
} from '../../src/index.ts';
import { assistant, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { elsewhere } from './support/elsewhere.ts';
import { assistantAgent, converse, historyOf, listOf, recorder } from './support/story.ts';

/** A model that reasons before it answers. */
const thinker = assistantAgent('gpt-5');

/** The same, of which the server stores nothing, and that does not ask for encrypted reasoning. */
const forgetful = thinker.clone({ modelSettings: { store: false } });

/** The same, with encrypted reasoning. */
const discreet = thinker.clone({
  modelSettings: { store: false, providerData: { include: ['reasoning.encrypted_content'] } },
});

const CALL = 'call get_weather {"city":"Oslo"}';

/** Both ways to run, each as JSON and as a stream. */
const WAYS = [
  { way: 'run() of the SDK', stream: false, runnerOf: ({ client }: Simulated) => simulatedRunner(client) },
  { way: 'run() of the SDK', stream: true, runnerOf: ({ client }: Simulated) => simulatedRunner(client) },
  { way: 'HybridRunner', stream: false, runnerOf: () => hybrid() },
  { way: 'HybridRunner', stream: true, runnerOf: () => hybrid() },
] as const;

function hybrid(): Runner {
  return new HybridRunner({ tracingDisabled: true });
}

/** How many requests for a response were refused. */
function refusals({ simulator }: Simulated): number {
  return simulator.log.filter(
    ({ operation, status }) => operation === 'responses.create' && (status ?? 0) >= 400,
  ).length;
}

describe.each(WAYS)('with $way (stream: $stream)', ({ stream, runnerOf }) => {
  it.each<HybridSessionOptions>([{}, { rollout: 'rebuild' }, { keepContent: false }])(
    'a turn goes on after an answer was popped and its reasoning stayed, with %j',
    async (options) => {
      const world = simulated();
      const session = new HybridSession({ client: world.client, ...options });
      const runner = runnerOf(world);
      await converse(runner, session, ['hi', 'thanks'], { agent: thinker, stream });
      await session.popItem();
      expect(await historyOf(session)).toBe('u,t,a,u,t');
      const [answer] = await converse(runner, session, ['again'], { agent: thinker, stream });
      expect(answer).toMatch(/I see [45] items/);
      expect(await historyOf(session)).toBe('u,t,a,u,t,u,t,a');
      expect(await session.verify()).toMatchObject({ verified: true, missing: [] });
      expect(refusals(world)).toBe(0);
      const rest: string[] = [];
      for (let item = await session.popItem(); item !== undefined; item = await session.popItem())
        rest.push('role' in item ? item.role : item.type);
      expect(rest).toEqual([
        'assistant',
        'reasoning',
        'user',
        'reasoning',
        'user',
        'assistant',
        'reasoning',
        'user',
      ]);
    },
  );

  it('a conversation goes on after it lost the answers and kept their reasoning', async () => {
    const world = simulated();
    const conversationId = await damagedConversation(world);
    const session = new HybridSession({ client: world.client, conversationId });
    const [answer] = await converse(runnerOf(world), session, ['again'], { agent: thinker, stream });
    expect(answer).toContain('I see 3 items (3u)');
    expect(await historyOf(session)).toBe('t,u,t,u,u,t,a'.replace('t,u,t,u', 'u,t,u,t'));
    expect(refusals(world)).toBe(0);
  });

  it('a conversation that lost the answers of its reasoning goes on after heal()', async () => {
    const world = simulated();
    const conversationId = await damagedConversation(world);
    const session = new HybridSession({ client: world.client, conversationId });
    const plan = await session.heal({ dryRun: true });
    expect(plan).toMatchObject({ items: 4, linked: 2, written: 0, skipped: 0, dangling: 2 });
    const healed = await session.heal();
    expect(healed).toMatchObject({
      items: 4,
      linked: 2,
      written: 0,
      skipped: 0,
      dangling: 2,
      verified: true,
    });
    expect(listOf(world.simulator, healed.conversationId)).toBe('u,u');
    expect(await session.verify()).toMatchObject({ verified: false, unproven: 4, findings: [], pending: 0 });
    expect(await session.heal()).toMatchObject({ conversationId: healed.conversationId, dangling: 2 });
    // The API itself goes on from it, too.
    await world.client.responses.create({
      model: 'gpt-4.1',
      conversation: healed.conversationId,
      input: 'go on',
    });
    const [answer] = await converse(runnerOf(world), session, ['again'], { agent: thinker, stream });
    expect(answer).toMatch(/I see \d items/);
    expect(refusals(world)).toBe(0);
  });

  it('a turn goes on with store: false and no encrypted reasoning', async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    const runner = runnerOf(world);
    const first = await converse(runner, session, ['hi'], { agent: forgetful, stream });
    const [answer] = await converse(runner, session, ['thanks'], { agent: forgetful, stream });
    expect(first[0]).toContain('I see 1 item');
    expect(answer).toContain('I see 3 items (2u 1a)');
    expect(await historyOf(session)).toBe('u,t,a,u,t,a');
    expect(refusals(world)).toBe(0);
  });

  it('old reasoning stays out of a request after encrypted reasoning was switched on, and new reasoning is sent', async () => {
    const world = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client: world.client, ledger, mirror: 'off', sessionId: 's' });
    const runner = runnerOf(world);
    await converse(runner, session, ['hi', 'thanks'], { agent: forgetful, stream });
    const answers = await converse(runner, session, ['and now'], { agent: discreet, stream });
    expect(answers[0]).toContain('I see 5 items (3u 2a)');
    const later = new HybridSession({
      client: world.client,
      ledger: elsewhere(ledger),
      mirror: 'off',
      sessionId: 's',
    });
    const [last] = await converse(runner, later, ['bye'], { agent: discreet, stream });
    expect(last).toContain('I see 8 items');
    expect(refusals(world)).toBe(0);
  });

  it('a turn goes on in an account without data retention', async () => {
    const world = simulated({ profile: 'zdr' });
    const session = new HybridSession({ client: world.client });
    const runner = runnerOf(world);
    const answers = await converse(runner, session, ['hi', 'thanks', 'bye'], { agent: thinker, stream });
    expect(answers.at(-1)).toContain('I see 5 items (3u 2a)');
    expect(refusals(world)).toBe(0);
  });

  it('an added reasoning item without its next item is kept, and not shown to the model', async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    const bare: AgentInputItem = { type: 'reasoning', content: [{ type: 'input_text', text: 'hm' }] };
    await session.addItems([user('hi'), bare, user('there'), bare, assistant('yes')]);
    const [answer] = await converse(runnerOf(world), session, ['again'], { agent: thinker, stream });
    expect(answer).toContain('I see 4 items (3u 1a)');
    expect(await historyOf(session)).toBe('u,t,u,t,a,u,t,a');
    expect(refusals(world)).toBe(0);
  });
});

/** A conversation whose list shows the questions and the reasoning, and none of the answers. */
async function damagedConversation({ client }: Simulated): Promise<string> {
  const { id } = await client.conversations.create();
  for (const input of ['hi', 'thanks'])
    await client.responses.create({ model: 'gpt-5', conversation: id, input });
  for await (const item of client.conversations.items.list(id, { order: 'asc' })) {
    if (item.type === 'message' && item.role === 'assistant')
      await client.conversations.items.delete(item.id ?? '', { conversation_id: id });
  }
  return id;
}

describe.each([false, true])('at the model boundary (stream: %s)', (stream) => {
  it('a tool is called in a turn with store: false', async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    const answers = await converse(hybrid(), session, [CALL, 'thanks'], { agent: forgetful, stream });
    expect(answers[0]).toContain('sunny in Oslo');
    expect(answers[1]).toMatch(/I see \d items/);
    expect(refusals(world)).toBe(0);
  });

  it('a tool is called in an account without data retention', async () => {
    const world = simulated({ profile: 'zdr' });
    const session = new HybridSession({ client: world.client });
    const answers = await converse(hybrid(), session, [CALL, 'thanks'], { agent: thinker, stream });
    expect(answers[0]).toContain('sunny in Oslo');
    expect(refusals(world)).toBe(0);
  });

  it('a handoff filter may remove tools but not reasoning, or reasoning but not messages', async () => {
    for (const dropped of ['tools', 'reasoning'] as const) {
      const world = simulated();
      const session = new HybridSession({ client: world.client });
      const specialist = new Agent({ name: 'Specialist', model: 'gpt-5' });
      const { handoff } = await import('@openai/agents');
      const filtered: Handoff = handoff(specialist, {
        inputFilter: (data) => ({
          ...data,
          preHandoffItems: data.preHandoffItems.filter((item) => keeps(item, dropped)),
          newItems: data.newItems.filter((item) => keeps(item, dropped)),
        }),
      });
      const triage = Agent.create({
        name: 'Triage',
        model: 'gpt-5.4',
        modelSettings: { reasoning: { effort: 'high' } },
        handoffs: [filtered],
      });
      const result = stream
        ? await hybrid().run(triage, 'call transfer_to_Specialist {}', { session, stream: true })
        : await hybrid().run(triage, 'call transfer_to_Specialist {}', { session });
      if ('completed' in result) await result.completed;
      expect(String(result.finalOutput)).toMatch(/I see \d item/);
      expect(refusals(world)).toBe(0);
    }
  });

  it('a filter may remove the answers and leave their reasoning', async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    const runner = new HybridRunner({
      tracingDisabled: true,
      callModelInputFilter: ({ modelData }) => ({
        ...modelData,
        input: modelData.input.filter((item) => !('role' in item) || item.role !== 'assistant'),
      }),
    });
    const answers = await converse(runner, session, ['hi', 'thanks'], { agent: thinker, stream });
    expect(answers[1]).toContain('I see 2 items (2u)');
    expect(refusals(world)).toBe(0);
  });
});

function keeps(item: unknown, dropped: 'tools' | 'reasoning'): boolean {
  const type: unknown = Reflect.get(Object(item), 'type');
  if (dropped === 'reasoning' && item instanceof RunReasoningItem) return false;
  return type === 'message_output_item' || type === 'reasoning_item';
}

const NO_ITEM = (id: string): string =>
  `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;

type Words = readonly [status: number, code: string | null, words: (id: string) => string];

/** The refusals of reasoning by servers, each with its status and code. */
const WORDS: readonly Words[] = [
  [404, null, NO_ITEM],
  [
    400,
    null,
    (id: string) => `Item '${id}' of type 'reasoning' was provided without its required following item.`,
  ],
  [
    400,
    null,
    (id: string) =>
      `Item 'msg_1' of type 'message' was provided without its required 'reasoning' item: '${id}'.`,
  ],
  [
    400,
    null,
    (id: string) => `Item 'msg_1' was sent without its required preceding item of type 'reasoning': ${id}`,
  ],
  [400, 'invalid_encrypted_content', () => 'The encrypted content gAAA could not be verified.'],
];

/** A server that answers requests with reasoning in their input with these words. */
function refusing(world: Simulated, [status, code, words]: Words): { refused: number } {
  const count = { refused: 0 };
  const { client } = world;
  const pass = client.fetchWithTimeout.bind(client);
  client.fetchWithTimeout = async (url, init, ...rest) => {
    const body: unknown =
      (url instanceof Request ? url.url : String(url)).endsWith('/responses') &&
      typeof init?.body === 'string'
        ? JSON.parse(init.body)
        : undefined;
    const input: unknown = Reflect.get(Object(body), 'input');
    const reasoning = Array.isArray(input) ? input.find((item) => item.type === 'reasoning') : undefined;
    if (reasoning === undefined) return pass(url, init, ...rest);
    count.refused += 1;
    const error = { message: words(reasoning.id), type: 'invalid_request_error', param: 'input', code };
    return new Response(JSON.stringify({ error }), {
      status,
      headers: { 'content-type': 'application/json' },
    });
  };
  return count;
}

describe.each([false, true])('a server that refuses stored reasoning (stream: %s)', (stream) => {
  it.each(WORDS.map((words) => [words[2]('rs_1'), words] as const))(
    'refused reasoning costs one request: %s',
    async (_, words) => {
      const world = simulated();
      const { events, onEvent, of } = recorder();
      const ledger = memoryLedger();
      const options = { client: world.client, ledger, rollout: 'rebuild' as const, onEvent };
      const session = new HybridSession(options);
      const encrypted = words[1] !== null;
      const agent = encrypted ? discreet : thinker;
      await converse(hybrid(), session, ['hi'], { agent, stream });
      const id = (await session.getItems()).find(({ type }) => type === 'reasoning')?.id ?? '';
      const server = refusing(world, words);
      const [answer] = await converse(hybrid(), session, ['thanks'], { agent, stream });
      expect(answer).toContain('I see 3 items (2u 1a)');
      expect(server.refused).toBe(1);
      expect(of('reasoning_left_out')).toEqual([
        expect.objectContaining({ code: 'reasoning_left_out', count: 1, ids: [id] }),
      ]);
      expect(events.map((event) => codeOf(event))).not.toContain('parent_refused');
      // A refused item is not sent again, by this process or another.
      const later = new HybridSession({
        ...options,
        ledger: elsewhere(ledger),
        conversationId: await session.getSessionId(),
      });
      const before = server.refused;
      const shown: HybridSessionEvent[] = [];
      await later.popItem();
      await later.popItem();
      expect(await historyOf(later)).toBe('u,t,a,u');
      const [last] = await converse(hybrid(), later, ['bye'], { agent, stream });
      expect(last).toContain('I see 4 items (3u 1a)');
      expect(server.refused).toBe(before);
      expect(shown).toEqual([]);
    },
  );
});

it('an error reaches the caller if the request fails without reasoning, too', async () => {
  const world = simulated();
  const session = new HybridSession({ client: world.client, rollout: 'rebuild' });
  await converse(hybrid(), session, ['hi'], { agent: thinker });
  const { client } = world;
  let requests = 0;
  client.fetchWithTimeout = async () => {
    requests += 1;
    const error = { message: NO_ITEM('rs_1'), type: 'invalid_request_error', param: 'input', code: null };
    return new Response(JSON.stringify({ error }), {
      status: 404,
      headers: { 'content-type': 'application/json' },
    });
  };
  await expect(converse(hybrid(), session, ['thanks'], { agent: thinker })).rejects.toThrow(
    "'rs_1' not found",
  );
  expect(requests).toBe(2);
});
