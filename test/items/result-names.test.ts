import type { AgentInputItem } from '@openai/agents';
import { expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse } from '../flows/support/story.ts';
import { call, result, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';

function namesIn(items: readonly AgentInputItem[]): string[] {
  return items.flatMap((item) => (item.type === 'function_call_result' ? [item.name] : []));
}

interface Told extends Simulated {
  readonly ledger: LedgerStore;
  readonly conversationId: string;
}

/** A turn with a tool, of which the ledger keeps no content. */
async function told(): Promise<Told> {
  const world = simulated({ unlink: 'none' });
  const ledger = memoryLedger();
  const session = new HybridSession({ client: world.client, ledger, keepContent: false });
  await converse(simulatedRunner(world.client), session, ['call get_weather {"city":"Oslo"}', 'thanks']);
  expect(namesIn(await session.getItems())).toEqual(['get_weather']);
  return { ...world, ledger, conversationId: await session.getSessionId() };
}

/** A session in another process: it has the ledger and the API. */
function inAnotherProcess({ client, ledger, conversationId }: Told): HybridSession {
  return new HybridSession({ client, ledger: elsewhere(ledger), conversationId, keepContent: false });
}

it('a session gives a function result the name of its call when the content is read back', async () => {
  expect(namesIn(await inAnotherProcess(await told()).getItems())).toEqual(['get_weather']);
});

it('a session gives a function result its name when the list has lost the call', async () => {
  const world = await told();
  const items = await inAnotherProcess(world).getItems();
  const lost = items.find(({ type }) => type === 'function_call');
  await world.client.conversations.items.delete(String(lost?.id), { conversation_id: world.conversationId });
  expect(namesIn(await inAnotherProcess(world).getItems())).toEqual(['get_weather']);
});

it('a session gives a function result its name when the call is not among the items asked for', async () => {
  const world = await told();
  // user, call, result, answer, user, answer
  expect(namesIn(await inAnotherProcess(world).getItems(4))).toEqual(['get_weather']);
  const items = await inAnotherProcess(world).getItems();
  const lost = items.find(({ type }) => type === 'function_call');
  await world.client.conversations.items.delete(String(lost?.id), { conversation_id: world.conversationId });
  expect(namesIn(await inAnotherProcess(world).getItems(4))).toEqual(['get_weather']);
});

it('a session serves a function result under the ID of its call when nothing knows the call', async () => {
  const { client } = simulated({ unlink: 'none' });
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, keepContent: false });
  await session.addItems([user('hi'), result('call_1', 'get_weather', 'sunny')]);
  const conversationId = await session.getSessionId();
  const again = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, keepContent: false });
  expect(namesIn(await again.getItems())).toEqual(['call_1']);
});

it('a session keeps no name of a function in a ledger without content', async () => {
  const { ledger, conversationId } = await told();
  expect(JSON.stringify(await ledger.read(conversationId, 0))).not.toContain('get_weather');
});

it('a session adopts function results with the names of their calls', async () => {
  const { client } = simulated({ unlink: 'none' });
  const stock = new HybridSession({ client, rollout: 'off' });
  await stock.addItems([call('call_1', 'get_weather', {}), result('call_1', 'get_weather', 'sunny')]);
  const conversationId = await stock.getSessionId();
  const session = new HybridSession({ client, conversationId, ledger: memoryLedger() });
  expect(namesIn(await session.getItems())).toEqual(['get_weather']);
});
