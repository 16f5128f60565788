import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, run, type HybridSessionEvent } from '../../src/index.ts';
import { assistant, texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { assistantAgent, historyOf, TURNS } from './support/story.ts';

useVirtualTime();

type Events = HybridSessionEvent[];

/** A session in a process of its own: it has no ledger, and knows the conversation's ID alone. */
function process(
  { client }: Simulated,
  conversationId: string | undefined,
  events: Events = [],
): HybridSession {
  return new HybridSession({ client, conversationId, onEvent: (event) => events.push(event) });
}

/** One turn in a process of its own. */
async function turnIn(
  world: Simulated,
  id: string | undefined,
  input: string,
  { level = 'stock', events = [] as Events }: { level?: 'stock' | 'chain'; events?: Events } = {},
): Promise<string> {
  const session = process(world, id, events);
  const agent = assistantAgent();
  if (level === 'stock') await simulatedRunner(world.client).run(agent, input, { session });
  else await run(agent, input, { session });
  return session.conversationId ?? '';
}

describe.each(['own', 'inherited'] as const)('a process per request, with %s input items', (inputItems) => {
  describe.each(['id-replay', 'every-turn'] as const)('with unlinking by %s', (unlink) => {
    it.each(['stock', 'chain'] as const)('a bookmark keeps every turn with the %s runner', async (level) => {
      const world = simulated({ unlink, inputItems });
      const events: Events = [];
      let id: string | undefined;
      for (const turn of TURNS) id = await turnIn(world, id, turn, { level, events });
      const last = process(world, id, events);
      expect(await historyOf(last)).toBe('u,a,u,a,u,a,u,a');
      expect(await last.verify()).toMatchObject({ verified: true, unproven: 0 });
      expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
    });
  });
});

const TOLD = new Set(['warning', 'adopted', 'incomplete']);

/** A world that forgets every earlier answer. */
function unlinking(): Simulated {
  return simulated({ unlink: 'every-turn', inputItems: 'inherited' });
}

/** A window: the model is shown the last two items and the new ones. */
function lastTwo(history: AgentInputItem[], added: AgentInputItem[]): AgentInputItem[] {
  return [...history.slice(-2), ...added];
}

/** A conversation of some turns, each in a process of its own. */
async function lived(world: Simulated, turns: readonly string[]): Promise<string> {
  let id: string | undefined;
  for (const turn of turns) id = await turnIn(world, id, turn);
  return id ?? '';
}

async function metadataOf({ client }: Simulated, id: string): Promise<Record<string, string>> {
  return (await client.conversations.retrieve(id)).metadata as Record<string, string>;
}

/** Where a conversation says that its bookmark is. */
async function placeOf(world: Simulated, id: string): Promise<string> {
  return (await metadataOf(world, id))['hybrid_session'] ?? '';
}

/** The history and the events of the next process. */
async function served(world: Simulated, id: string): Promise<{ history: string; told: string[] }> {
  const events: Events = [];
  const history = await historyOf(process(world, id, events));
  const told = events.flatMap((event) =>
    event.type === 'warning' ? [event.code] : TOLD.has(event.type) ? [event.type] : [],
  );
  return { history, told };
}

describe('a bookmark without proof', () => {
  it.each([
    ['is damaged', { history: '{' }],
    ['is empty', {}],
    ['has another proof', undefined],
  ])('a session adopts the list as unproven if its bookmark %s', async (how, metadata) => {
    const here = unlinking();
    const id = await lived(here, TURNS);
    const place = await placeOf(here, id);
    const kept = await metadataOf(here, place);
    const history = JSON.stringify({
      ...(JSON.parse(kept['history'] ?? '') as object),
      proof: 'x'.repeat(43),
    });
    await here.client.conversations.update(place, { metadata: metadata ?? { ...kept, history } });
    const events: Events = [];
    const session = process(here, id, events);
    expect(await historyOf(session)).toBe('u,u,u,u,a');
    expect(await session.verify()).toMatchObject({ verified: false, unproven: 5 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'bookmark_ignored' }));
    expect(how).toBeDefined();
  });

  it('a bookmark of another conversation serves, continues and changes nothing of it', async () => {
    const here = unlinking();
    const other = await lived(here, ['the secret is sesame', 'remember it']);
    const { id } = await here.client.conversations.create({
      items: [{ type: 'message', role: 'user', content: 'hi' }],
      metadata: { hybrid_session: await placeOf(here, other) },
    });
    const before = await metadataOf(here, await placeOf(here, other));
    expect(await served(here, id)).toEqual({ history: 'u', told: ['bookmark_ignored', 'adopted'] });
    await turnIn(here, id, 'what is the secret?', { level: 'chain' });
    const { responses } = here.simulator.snapshot();
    expect(responses.at(-1)?.previousResponseId).toBeUndefined();
    expect(JSON.stringify(await process(here, id).getItems())).not.toContain('sesame');
    expect(await metadataOf(here, await placeOf(here, other))).toEqual(before);
    expect(await placeOf(here, id)).not.toBe(await placeOf(here, other));
  });

  it('a bookmark with a response of another session is not continued from', async () => {
    const here = simulated({ unlink: 'none' });
    await lived(here, ['the secret is sesame', 'hi']);
    const foreign = here.simulator.snapshot().responses.at(-1)?.id;
    const id = await lived(here, ['one', 'two']);
    const place = await placeOf(here, id);
    const kept = await metadataOf(here, place);
    const response = JSON.stringify({ ...(JSON.parse(kept['response'] ?? '') as object), id: foreign });
    await here.client.conversations.update(place, { metadata: { ...kept, response } });
    await turnIn(here, id, 'what is the secret?', { level: 'chain' });
    expect(here.simulator.snapshot().responses.at(-1)?.previousResponseId).toBeUndefined();
    expect(await process(here, id).erase({ remote: true })).toMatchObject({
      responses: expect.not.arrayContaining([foreign]) as unknown,
    });
  });

  it('a bookmark of an earlier turn proves the items up to that turn', async () => {
    const here = unlinking();
    const id = await lived(here, TURNS.slice(0, 2));
    const place = await placeOf(here, id);
    const kept = await metadataOf(here, place);
    await turnIn(here, id, 'give me one example');
    await here.client.conversations.update(place, { metadata: kept });
    expect(await served(here, id)).toEqual({ history: 'u,a,u,a,u,a', told: ['adopted'] });
    expect(await process(here, id).verify()).toMatchObject({ verified: false, unproven: 2 });
  });
});

describe('a conversation that lost answers before the session was attached', () => {
  it('adopted items stay unproven in every later process that knows the conversation alone', async () => {
    const here = unlinking();
    const id = await lived(here, TURNS);
    await here.client.conversations.update(await placeOf(here, id), { metadata: {} });
    for (const turn of ['one', 'two', 'three']) {
      expect(await process(here, id).verify()).toMatchObject({ verified: false, unproven: 5 });
      await turnIn(here, id, turn);
    }
    expect((await served(here, id)).history).toBe('u,u,u,u,a,u,a,u,a,u,a');
  });
});

describe('a list that shows items only after the adoption', () => {
  it.each([
    ['its newest item', { name: 'lagging_items', count: 1 }],
    ['its two newest items', { name: 'lagging_items', count: 2 }],
    ['half of its items', { name: 'lagging_items', count: 4 }],
    ['its items in another order', 'reordered_items'],
  ] as const)(
    'no item of an adopted history is doubled when the list shows %s late',
    async (_what, fault) => {
      for (const unlink of ['none', 'every-turn'] as const) {
        const world = simulated({ unlink });
        const conversationId = await lived(world, TURNS);
        const lift = world.simulator.fault('conversations.items.list', fault);
        const events: Events = [];
        const ledger = memoryLedger();
        const options = { client: world.client, conversationId, ledger, onEvent: events.push.bind(events) };
        expect(await historyOf(new HybridSession(options))).toBe('u,a,u,a,u,a,u,a');
        lift();
        const compare = 'on-read' as const;
        const next = new HybridSession({ ...options, advanced: { compare } });
        expect(await historyOf(next)).toBe('u,a,u,a,u,a,u,a');
        expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
        const lost = unlink === 'none' ? [] : [1, 3, 5];
        const { findings, verified } = await next.verify();
        expect(verified).toBe(true);
        expect(findings.map(({ type, index }) => ({ type, index }))).toEqual(
          lost.map((index) => ({ type: 'lost', index })),
        );
      }
    },
  );
});

describe("the user's own metadata", () => {
  it("the user's metadata keeps values that are written at the same time", async () => {
    const world = simulated({ unlink: 'every-turn', latency: 3 });
    const id = await lived(world, ['hi']);
    for (let round = 0; round < 8; round += 1) {
      const write = async (): Promise<void> => {
        for (let at = 0; at < 6; at += 1) {
          const metadata = { ...(await metadataOf(world, id)), theme: `${round}.${at}` };
          await world.client.conversations.update(id, { metadata });
          expect((await metadataOf(world, id))['theme']).toBe(`${round}.${at}`);
        }
      };
      await Promise.all([turnIn(world, id, `turn ${round}`), write()]);
      expect(await metadataOf(world, id)).toMatchObject({ theme: `${round}.5` });
    }
    expect((await served(world, id)).told).toEqual([]);
  });

  it('metadata without a free pair costs the bookmark and a warning, not the run', async () => {
    const world = simulated();
    const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`key ${at}`, 'own']));
    const { id } = await world.client.conversations.create({ metadata });
    const events: Events = [];
    await turnIn(world, id, 'hi', { events });
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'bookmark_failed' }));
    expect(await metadataOf(world, id)).toEqual(metadata);
    expect(await historyOf(process(world, id))).toBe('u,a');
  });

  it("a live process writes the bookmark's pair again after the user overwrote it", async () => {
    const world = simulated({ unlink: 'every-turn', inputItems: 'inherited' });
    const session = process(world, undefined);
    const agent = assistantAgent();
    const runner = simulatedRunner(world.client);
    await runner.run(agent, 'one', { session });
    const id = session.conversationId ?? '';
    await world.client.conversations.update(id, { metadata: { title: 'mine' } });
    await runner.run(agent, 'two', { session });
    await runner.run(agent, 'three', { session });
    expect(await metadataOf(world, id)).toMatchObject({ title: 'mine' });
    expect(await served(world, id)).toEqual({ history: 'u,a,u,a,u,a', told: [] });
  });
});

describe('a bookmark whose newest response has a turn that was taken back', () => {
  it.each(['undo()', 'popItem()'])(
    'an item that only this response still holds is served by a new process without content in its ledger (%s)',
    async (way) => {
      const { client } = simulated({ unlink: 'every-turn' });
      const options = { client, keepContent: false, mirror: 'await' as const };
      const session = new HybridSession({ ...options, ledger: memoryLedger() });
      await session.addItems([user('My name is Ada.'), assistant('Noted.')]);
      await simulatedRunner(client).run(assistantAgent('gpt-5.4'), 'Hello', { session });
      if (way === 'undo()') await session.undo();
      else for (let item = 0; item < 2; item += 1) await session.popItem();
      const conversationId = await session.getSessionId();
      const ledger = memoryLedger();
      const next = new HybridSession({ ...options, conversationId, ledger });
      expect(texts(await next.getItems())).toEqual(['My name is Ada.', 'Noted.']);
      const later = new HybridSession({ ...options, conversationId, ledger });
      expect(await later.verify()).toMatchObject({ verified: true, missing: [] });
    },
  );
});

describe('a bookmark of several chains', () => {
  it.each(['own', 'inherited'] as const)(
    'a bookmark names the responses of earlier chains (%s input)',
    async (inputItems) => {
      const world = simulated({ unlink: 'every-turn', inputItems });
      const agent = assistantAgent();
      let id: string | undefined;
      for (const turn of [...TURNS, 'and one more']) {
        const session = process(world, id);
        await simulatedRunner(world.client).run(agent, turn, { session, sessionInputCallback: lastTwo });
        id = session.conversationId;
      }
      expect(await served(world, id ?? '')).toEqual({ history: 'u,a,u,a,u,a,u,a,u,a', told: [] });
      expect(await process(world, id).verify()).toMatchObject({ verified: true, unproven: 0 });
    },
  );
});

describe('a turn of the stock session', () => {
  it('an equal answer in a turn of another client is not taken for one that the list has lost', async () => {
    const world = simulated({ unlink: 'every-turn', respond: () => 'Done.' });
    const id = await lived(world, ['one', 'two']);
    const stock = new OpenAIConversationsSession({ client: world.client, conversationId: id });
    await simulatedRunner(world.client).run(assistantAgent(), 'three', { session: stock });
    const ledger = memoryLedger();
    const options = { client: world.client, conversationId: id, ledger };
    const all = ['one', 'Done.', 'two', 'Done.', 'three', 'Done.'];
    expect(texts(await new HybridSession(options).getItems())).toEqual(all);
    const later = new HybridSession({ ...options, advanced: { compare: 'on-read' } });
    expect(texts(await later.getItems())).toEqual(all);
    expect(await later.verify()).toMatchObject({ verified: false, unproven: 2 });
  });
});

describe('a turn that is not stored', () => {
  it.each(['stock', 'chain'] as const)(
    'an unstored turn loses no earlier turn with the %s runner',
    async (level) => {
      const world = simulated({ unlink: 'every-turn' });
      let id: string | undefined;
      for (const [index, turn] of TURNS.entries()) {
        const session = process(world, id);
        const agent = assistantAgent().clone({ modelSettings: { store: index !== 2 } });
        if (level === 'stock') await simulatedRunner(world.client).run(agent, turn, { session });
        else await run(agent, turn, { session });
        id = session.conversationId;
      }
      expect(await served(world, id ?? '')).toEqual({ history: 'u,a,u,a,u,a,u,a', told: [] });
    },
  );
});

describe('delayed metadata', () => {
  it.each([100, 300, 1000])('delayed metadata loses no item: %i ms', async (late) => {
    const world = simulated({ unlink: 'every-turn', inputItems: 'inherited' });
    const client = withLateMetadata(world.client, late);
    let id: string | undefined;
    for (const turn of TURNS) {
      const session = process({ ...world, client }, id);
      await simulatedRunner(client).run(assistantAgent(), turn, { session });
      id = session.conversationId;
    }
    const events: Events = [];
    const last = process({ ...world, client }, id, events);
    expect(await historyOf(last)).toBe('u,a,u,a,u,a,u,a');
    expect(await last.verify()).toMatchObject({ verified: true, unproven: 0 });
  });
});

/** A client whose reads of metadata are late by so many milliseconds; the first ones are empty. */
function withLateMetadata(client: OpenAI, late: number): OpenAI {
  const shown = new Map<string, { readonly at: number; readonly metadata: unknown }[]>();
  const note = (id: string, metadata: unknown): void => {
    shown.set(id, [...(shown.get(id) ?? []), { at: Date.now() + late, metadata }]);
  };
  const { fetch } = client as unknown as { fetch: typeof globalThis.fetch };
  const lateFetch: typeof globalThis.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    const path = new URL(input instanceof Request ? input.url : input).pathname;
    if (!/\/conversations(\/[^/]+)?$/.test(path) || !answer.ok) return answer;
    const body = (await answer.json()) as { id: string; metadata: unknown };
    if (init?.method?.toUpperCase() === 'POST') {
      // Metadata of the creation are there from the beginning.
      if (path.endsWith('/conversations')) shown.set(body.id, [{ at: 0, metadata: body.metadata }]);
      else note(body.id, body.metadata);
    } else {
      const known = shown.get(body.id) ?? [];
      body.metadata = known.findLast(({ at }) => at <= Date.now())?.metadata ?? body.metadata;
    }
    return Response.json(body);
  };
  return client.withOptions({ fetch: lateFetch });
}
