import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse, historyOf, listOf, recorder, requestsOf, assistantAgent } from '../flows/support/story.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const OPTIONS: readonly HybridSessionOptions[] = [
  { rollout: 'off' },
  { rollout: 'shadow' },
  { rollout: 'rebuild' },
  { rollout: 'chain' },
  { keepContent: false },
];

/** A model that reasons before it answers. */
const thinker = assistantAgent('gpt-5');

/** The same, of which the server stores nothing: its reasoning comes encrypted. */
const discreet = thinker.clone({
  modelSettings: { store: false, providerData: { include: ['reasoning.encrypted_content'] } },
});

const SAY = ['hi', 'call get_weather {"city":"Oslo"}', 'thanks'];
const WHOLE = 'u,t,a,u,t,c,r,t,a,u,t,a';

describe.each(OPTIONS)('reasoning with %j', (options) => {
  it('reasoning stays in the history and in the conversation, with its ID', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, ...options });
    await converse(simulatedRunner(client), session, SAY, { agent: thinker });
    expect(await historyOf(session)).toBe(WHOLE);
    expect(listOf(simulator, await session.getSessionId())).toBe(WHOLE);
    const thoughts = (await session.getItems()).filter(({ type }) => type === 'reasoning');
    expect(thoughts.map(({ id }) => id)).toEqual(thoughts.map(() => expect.stringMatching(/^rs_/)));
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], missing: [] });
  });

  it('reasoning is read by another process', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger, ...options });
    await converse(simulatedRunner(client), first, SAY, { agent: thinker });
    const conversationId = await first.getSessionId();
    const session = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, ...options });
    expect(await historyOf(session)).toBe(WHOLE);
    const [answer] = await converse(simulatedRunner(client), session, ['bye'], { agent: thinker });
    expect(answer).toContain('I see 13 items');
  });

  it('encrypted reasoning is stored in the conversation although its response was not stored', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, ...options });
    const answers = await converse(simulatedRunner(client), session, SAY, { agent: discreet });
    expect(answers.at(-1)).toContain('I see 10 items');
    expect(await historyOf(session)).toBe(WHOLE);
    expect(listOf(simulator, await session.getSessionId())).toBe(WHOLE);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, missing: [] });
  });
});

/** Two turns, of which the list no longer shows the first reasoning to another process. */
async function told(options: HybridSessionOptions) {
  const world = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client: world.client, ledger, ...options });
  await converse(simulatedRunner(world.client), first, ['hi', 'thanks'], { agent: thinker });
  const conversationId = await first.getSessionId();
  const id = (await first.getItems()).find(({ type }) => type === 'reasoning')?.id ?? '';
  world.simulator.fault('conversations.items.list', { name: 'dropped_items', id });
  const { onEvent, of } = recorder();
  const session = new HybridSession({
    client: world.client,
    ledger: elsewhere(ledger),
    conversationId,
    advanced: { compare: 'on-read' },
    onEvent,
    ...options,
  });
  return { ...world, session, of, id };
}

describe('reasoning that the list has lost', () => {
  it.each([{}, { keepContent: false }])('lost reasoning comes back with %j', async (options) => {
    const { session, of, id } = await told(options);
    expect(await historyOf(session)).toBe('u,t,a,u,t,a');
    expect(of('lost')[0]?.findings).toEqual([{ type: 'lost', id, kind: 'reasoning', index: 1 }]);
    expect(await session.verify()).toMatchObject({ verified: true, missing: [] });
  });

  it('lost reasoning is no reason to refuse the history', async () => {
    const { session, simulator, client, of } = await told({ keepContent: false });
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
    expect(await historyOf(session)).toBe('u,a,u,t,a');
    expect(of('incomplete')[0]?.missing.map(({ kind }) => kind)).toEqual(['reasoning']);
    expect(await session.verify()).toMatchObject({ verified: true });
  });
});

describe('reasoning that no conversation can hold', () => {
  const bare: AgentInputItem = { type: 'reasoning', content: [{ type: 'input_text', text: 'hm' }] };

  it('reasoning that no conversation can hold lives in the ledger, and is not offered to the API again and again', async () => {
    const { client, simulator } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent });
    await session.addItems([
      { type: 'message', role: 'user', content: 'hi' },
      bare,
      { type: 'message', role: 'user', content: 'there' },
    ]);
    expect(await historyOf(session)).toBe('u,t,u');
    expect(of('mirror_skipped').map(({ itemKind }) => itemKind)).toEqual(['reasoning']);
    expect(listOf(simulator, await session.getSessionId())).toBe('u,u');
    expect(await requestsOf(simulator, () => session.flush())).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('reasoning that no conversation can hold is left out of later turns with keepContent: false', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger, keepContent: false });
    await first.addItems([{ type: 'message', role: 'user', content: 'hi' }, bare]);
    const session = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      conversationId: await first.getSessionId(),
      keepContent: false,
    });
    expect(await historyOf(session)).toBe('u');
    expect((await session.verify()).verified).toBe(true);
  });
});
