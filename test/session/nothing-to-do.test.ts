import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

type Call = readonly [string, (session: HybridSession) => unknown, unknown];

/** Where the stock session creates a conversation all the same, and `off` and `shadow` are what it is. */
const AS_STOCK: readonly Call[] = [
  ['getItems(0)', (session) => session.getItems(0), []],
  ['getItems(-1)', (session) => session.getItems(-1), []],
  ['popItem()', (session) => session.popItem(), undefined],
];

/** What asks for nothing, and what it gives. */
const NOTHING: readonly Call[] = [
  ['addItems([])', (session) => session.addItems([]), undefined],
  ['replaceHistoryWithCompaction([])', (session) => session.replaceHistoryWithCompaction([]), undefined],
  [
    'applyHistoryMutations without mutations',
    (session) => session.applyHistoryMutations({ mutations: [] }),
    undefined,
  ],
];

/** What needs something to be there, and what it gives where nothing is. */
const NOTHING_YET: readonly Call[] = [
  ['clearSession()', (session) => session.clearSession(), undefined],
  ['flush()', (session) => session.flush(), 0],
  ['runCompaction()', (session) => session.runCompaction(), null],
  ['stats()', (session) => session.stats(), expect.objectContaining({ turns: 0 })],
  ['erase()', (session) => session.erase(), { sessionId: '', items: 0, responses: [], conversations: [] }],
  [
    'erase({ remote: true })',
    (session) => session.erase({ remote: true }),
    { sessionId: '', items: 0, responses: [], conversations: [] },
  ],
];

/** The calls that are the same in a mode. */
function callsIn(mode: Mode, calls: readonly Call[]): readonly Call[] {
  return mode === 'off' || mode === 'shadow' ? calls : [...calls, ...AS_STOCK];
}

describe.each(['off', 'shadow', 'rebuild', 'chain'] satisfies Mode[])('in mode %s', (rollout) => {
  it.each(callsIn(rollout, [...NOTHING, ...NOTHING_YET]))(
    '%s on a session without a conversation makes no request and creates none',
    async (_what, work, expected) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, rollout });
      expect(await work(session)).toEqual(expected);
      expect(simulator.log).toEqual([]);
      expect(simulator.snapshot().conversations).toEqual([]);
      expect(session.sessionId).toBeUndefined();
      // The first real use begins as ever.
      await session.addItems([user('hi')]);
      expect(texts(await session.getItems())).toEqual(['hi']);
    },
  );

  it.each(callsIn(rollout, NOTHING).filter(([name]) => name !== 'popItem()'))(
    '%s on a session with items makes no request and changes nothing',
    async (_what, work, expected) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, rollout, bookmark: false });
      await session.addItems([user('hi')]);
      const before = simulator.log.length;
      expect(await work(session)).toEqual(expected);
      expect(simulator.log).toHaveLength(before);
      expect(texts(await session.getItems())).toEqual(['hi']);
    },
  );
});

it('pops in the order of the calls what was added just before', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client });
  const added = session.addItems([user('one'), user('two')]);
  expect(texts([await session.popItem()])).toEqual(['two']);
  await added;
  expect(texts(await session.getItems())).toEqual(['one']);
});

it('pops without a conversation of its own where the session has a name', async () => {
  const ledger = memoryLedger();
  const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
  expect(await session.popItem()).toBeUndefined();
  await session.addItems([user('hi')]);
  expect(texts([await session.popItem()])).toEqual(['hi']);
});
