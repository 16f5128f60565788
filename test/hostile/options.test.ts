import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { mysqlLedger, type MysqlLedgerOptions } from '../../src/mysql.ts';
import { postgresLedger, type PostgresLedgerOptions } from '../../src/postgres.ts';
import { redisLedger, type RedisLedgerOptions } from '../../src/redis.ts';
import { sqliteLedger, type SqliteLedgerOptions } from '../../src/sqlite.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { failureOf, guardProcess, holds, hostileJson } from './support/property.ts';

guardProcess();

const SECRET = 'sk-secret-in-an-option';
const NAMES = [
  'client',
  'conversationId',
  'ledger',
  'rollout',
  'mirror',
  'advanced',
  'bookmark',
  'sessionId',
  'keepContent',
  'onIncomplete',
  'onEvent',
  'observers',
  'path',
  'database',
  'pool',
  'table',
  'prefix',
  'ttlSeconds',
  '__proto__',
  'constructor',
];

function trap(): never {
  throw new TypeError(SECRET);
}

/** An object of which nothing can be done without it throwing. */
const untouchable: object = new Proxy(
  {},
  { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap },
);

/** Makes a value when it is needed: the generator itself must not look at it. */
type Maker = () => unknown;

const value: fc.Arbitrary<Maker> = fc.oneof(
  {
    weight: 3,
    arbitrary: hostileJson.map(
      (json): Maker =>
        () =>
          json,
    ),
  },
  fc.constantFrom<Maker[]>(
    () => undefined,
    () => Symbol('option'),
    () => 1n,
    () => Number.NaN,
    () => trap,
    () => new Date(0),
    () => untouchable,
    () => new Proxy(() => undefined, { get: trap }),
    () => ({ get: undefined, set: undefined }),
    () => ({ conversations: null, responses: null }),
    () => ({ conversations: {}, responses: {} }),
    () => ({ mode: 'chain', models: [/x/] }),
    () => 'off',
    () => 'chain',
    () => 'on-read',
    () => 'background',
    () => 1000,
    () => memoryLedger(),
  ),
);

/** Options of which some throw when they are read, and some are named by no text. */
const options: fc.Arbitrary<Maker> = fc.oneof(
  value,
  fc
    .array(fc.tuple(fc.constantFrom(...NAMES), value, fc.integer({ max: 9, min: 0 })), { maxLength: 4 })
    .map((entries): Maker => () => {
      const given: object = {};
      for (const [name, make, chance] of entries) {
        const property = chance === 0 ? { get: trap } : { value: make() };
        Object.defineProperty(given, name, { enumerable: true, configurable: true, ...property });
      }
      return given;
    }),
  fc.constant(() => ({ [Symbol('name')]: SECRET })),
);

function expectRefusal(error: unknown): void {
  expect(error).toMatchObject({ name: 'InvalidOptionsError', code: 'invalid_options' });
  expect(
    `${String(error)} ${JSON.stringify(error)} ${error instanceof Error ? error.stack : ''}`,
  ).not.toContain(SECRET);
}

describe('options of any kind', () => {
  it('options of any kind are refused by their name, or make a session that works', async () => {
    const { client } = simulated();
    let working = 0;
    await holds(400, options, async (make) => {
      const given = make();
      let session: HybridSession;
      try {
        session = new HybridSession(given as HybridSessionOptions);
      } catch (error) {
        return expectRefusal(error);
      }
      // The generated clients are no clients.
      if (typeof given === 'object' && given !== null && Object.hasOwn(given, 'client')) return undefined;
      const known = typeof given === 'object' && given !== null && Object.hasOwn(given, 'conversationId');
      const again = new HybridSession({ ...(given as HybridSessionOptions), client });
      if (known) {
        expect(again.sessionId).toBe(session.sessionId);
        return undefined;
      }
      await again.addItems([user('hi')]);
      expect(texts(await again.getItems())).toEqual(['hi']);
      working += 1;
      return undefined;
    });
    expect(working).toBeGreaterThan(20);
  });

  it.each([
    ['sqliteLedger', (given: unknown) => sqliteLedger(given as SqliteLedgerOptions)],
    ['redisLedger', (given: unknown) => redisLedger(given as RedisLedgerOptions)],
    ['mysqlLedger', (given: unknown) => mysqlLedger(given as MysqlLedgerOptions)],
    ['postgresLedger', (given: unknown) => postgresLedger(given as PostgresLedgerOptions)],
  ])('options of any kind are refused by name, or accepted, by %s', async (_, create) => {
    await holds(200, options, (make) => {
      try {
        create(make());
      } catch (error) {
        expectRefusal(error);
      }
    });
  });

  it.each(['.', '..', '\uD800', 'conv_\uDFFF'])(
    'an ID that cannot be part of a URL is refused as conversationId: %j',
    (id) => {
      expect(() => new HybridSession({ conversationId: id })).toThrow(
        /'conversationId' .*cannot be part of a URL/,
      );
    },
  );
});

describe('arguments of any kind', () => {
  const CALLS: readonly (readonly [string, (session: HybridSession, given: never) => Promise<unknown>])[] = [
    ['addItems', (session, given) => session.addItems(given)],
    ['replaceHistoryWithCompaction', (session, given) => session.replaceHistoryWithCompaction(given)],
    ['applyHistoryMutations', (session, given) => session.applyHistoryMutations(given)],
    ['applyHistoryTransaction', (session, given) => session.applyHistoryTransaction(given)],
    ['runCompaction', (session, given) => session.runCompaction(given)],
    ['getItems', (session, given) => session.getItems(given)],
  ];

  it.each(CALLS)(
    'arguments of %s are refused with a typed error or take effect, and harm no item',
    async (name, act) => {
      const { client } = simulated();
      const ledger = memoryLedger();
      const session = new HybridSession({ client, ledger });
      await session.addItems([user('first')]);
      const conversationId = await session.getSessionId();
      await holds(150, value, async (make) => {
        const given = make();
        const error = await failureOf(() => act(session, given as never));
        // An error thrown by the caller's own object is the caller's, unless the object was given as an item.
        const isOwn = error instanceof TypeError && error.message === SECRET && name !== 'addItems';
        if (error !== undefined && !isOwn) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(invalid_item|history_transaction)$/),
          });
          expect(String(error)).not.toContain(SECRET);
        }
      });
      const later = new HybridSession({ client, ledger, conversationId });
      expect(texts(await later.getItems(1000))[0]).toBe('first');
    },
  );
});
