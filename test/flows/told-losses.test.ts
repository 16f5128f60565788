import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { elsewhere } from './support/elsewhere.ts';
import { idsOf, recorder } from './support/story.ts';

const LIST = 'conversations.items.list';

/** A conversation of five items, and the losses that its sessions report: the new ones, and the total. */
async function fiveItems(rollout: Mode) {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const { onEvent, of } = recorder();
  const options = { client, ledger, rollout, advanced: { compare: 'on-read' }, onEvent } as const;
  const session = new HybridSession(options);
  await session.addItems(['1', '2', '3', '4', '5'].map((text) => user(text)));
  const conversationId = await session.getSessionId();
  const ids = idsOf(await session.getItems()).map(String);
  return {
    session,
    open: (store = ledger) => new HybridSession({ ...options, ledger: store, conversationId }),
    ledger,
    told: () =>
      of('lost').map(({ findings, total }) => [...findings.map(({ id }) => ids.indexOf(id)), `of ${total}`]),
    lose: (index: number) =>
      client.conversations.items.delete(ids[index] ?? '', { conversation_id: conversationId }),
    /** The list does not show the item until it is shown again. */
    hide: (index: number): (() => void) =>
      simulator.fault(LIST, { name: 'dropped_items', id: ids[index] ?? '' }),
  };
}

describe.each(['shadow', 'rebuild', 'chain'] satisfies Mode[])('in mode %s', (rollout) => {
  it('each loss is reported once, with the total, for any number of reads', async () => {
    const { session, lose, told } = await fiveItems(rollout);
    await lose(1);
    for (let read = 0; read < 3; read += 1) await session.getItems();
    await session.verify();
    expect(told()).toEqual([[1, 'of 1']]);
    await lose(3);
    await lose(0);
    for (let read = 0; read < 3; read += 1) await session.getItems();
    expect(told()).toEqual([
      [1, 'of 1'],
      [0, 3, 'of 3'],
    ]);
  });

  it('an old loss is reported once in a process, and again in another process', async () => {
    const { session, open, ledger, lose, told } = await fiveItems(rollout);
    await lose(1);
    await session.getItems();
    await open().getItems();
    expect(told()).toEqual([[1, 'of 1']]);
    await open(elsewhere(ledger)).getItems();
    expect(told()).toEqual([
      [1, 'of 1'],
      [1, 'of 1'],
    ]);
  });

  it('a loss is reported again if the item was listed meanwhile', async () => {
    const { session, hide, told } = await fiveItems(rollout);
    const show = hide(1);
    await session.getItems();
    show();
    await session.getItems();
    hide(1);
    await session.getItems();
    expect(told()).toEqual([
      [1, 'of 1'],
      [1, 'of 1'],
    ]);
  });
});

it('a loss from a turn in off is reported after the mode changed', async () => {
  const modes: Mode[] = ['off', 'off', 'shadow'];
  const { client } = simulated();
  const { onEvent, of } = recorder();
  const session = new HybridSession({ client, onEvent, rollout: () => modes.shift() ?? 'shadow' });
  await session.addItems([user('1'), user('2')]);
  const [first = ''] = idsOf(await session.getItems());
  await client.conversations.items.delete(first, { conversation_id: await session.getSessionId() });
  for (let read = 0; read < 3; read += 1) await session.getItems();
  expect(of('lost').map(({ findings, total }) => [findings.map(({ id }) => id), total])).toEqual([
    [[first], 1],
  ]);
});
