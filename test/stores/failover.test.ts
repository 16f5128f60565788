import { Agent } from '@openai/agents';
import { createClient } from 'redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasProgram, type OwnServer } from '../../scripts/servers/own-server.mjs';
import { startRedis } from '../../scripts/servers/redis-server.mjs';
import { HybridSession, type HybridSessionEvent, type LedgerStore } from '../../src/index.ts';
import { redisLedger, type RedisLedgerClient } from '../../src/redis.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { FULL } from '../support/runs.ts';

const isFull = FULL && hasProgram('redis-server');
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

interface Failover {
  readonly ledger: LedgerStore;
  /** From here on the replica gets nothing. */
  readonly cut: () => Promise<void>;
  /** The master dies, and the replica takes its place with what it has. */
  readonly failOver: () => Promise<void>;
  readonly close: () => Promise<void>;
}

async function failover(): Promise<Failover> {
  const folder = await temporaryFolder();
  const now = ['--repl-diskless-sync-delay', '0'];
  const master = await startRedis(`${folder.path}/master`, { isDurable: false, args: now });
  const follow = ['--replicaof', '127.0.0.1', String(master.port)];
  const replica = await startRedis(`${folder.path}/replica`, { isDurable: false, args: follow });
  const [first, second] = [await connected(master), await connected(replica)];
  let current = first;
  const client: RedisLedgerClient = {
    del: (keys) => current.del(keys),
    eval: (script, options) => current.eval(script, options),
    evalSha: (sha, options) => current.evalSha(sha, options),
  };
  return {
    ledger: redisLedger({ client }),
    async cut() {
      // How many replicas have all of it.
      expect(await first.wait(1, 60_000)).toBe(1);
      // Nothing listens there: the replica keeps what it has.
      await second.replicaOf('127.0.0.1', 1);
    },
    async failOver() {
      await master.kill();
      await second.replicaOf('NO', 'ONE' as unknown as number);
      current = second;
    },
    async close() {
      for (const one of [first, second]) one.destroy();
      for (const server of [master, replica]) await server.kill();
      await folder.remove();
    },
  };
}

async function connected({ url }: OwnServer) {
  const client = createClient({ url }).on('error', () => undefined);
  await client.connect();
  return client;
}

const questions = async (session: HybridSession): Promise<unknown[]> =>
  texts(await session.getItems()).filter((_, at) => at % 2 === 0);

describe.skipIf(!isFull)('A failover of Redis that loses the newest records', () => {
  let world: Failover;
  let api: Simulated;
  const events: HybridSessionEvent[] = [];
  const rewound = (): number =>
    events.filter((event) => event.type === 'warning' && event.code === 'store_rewound').length;
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({
      client: api.client,
      ...(conversationId === undefined ? {} : { conversationId }),
      ledger: world.ledger,
      onEvent: (event) => void events.push(event),
    });
  beforeEach(async () => {
    events.length = 0;
    world = await failover();
    api = simulated({ unlink: 'none' });
  });
  afterEach(() => world.close());

  it('a failover of Redis is reported by the session that wrote the lost records, which appends them again', async () => {
    const runner = simulatedRunner(api.client);
    const session = open();
    for (const text of ['one', 'two']) await runner.run(agent, text, { session });
    await world.cut();
    for (const text of ['three', 'four']) await runner.run(agent, text, { session });
    await world.failOver();
    await runner.run(agent, 'five', { session });
    expect(rewound()).toBe(1);
    expect(await questions(session)).toEqual(['one', 'two', 'three', 'four', 'five']);
    const other = open(await session.getSessionId());
    expect(await questions(other)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await other.verify()).toMatchObject({ findings: [], pending: 0, length: 10 });
  });

  it('a failover of Redis leaves nothing doubled or forgotten for another process, and says that it is unproven', async () => {
    const runner = simulatedRunner(api.client);
    const session = open();
    for (const text of ['one', 'two']) await runner.run(agent, text, { session });
    await world.cut();
    await runner.run(agent, 'three', { session });
    await world.failOver();
    // A process of its own knows the conversation's ID and the store, whose ledger ends before the list does.
    const other = open(await session.getSessionId());
    await runner.run(agent, 'four', { session: other });
    expect(await questions(other)).toEqual(['one', 'two', 'three', 'four']);
    expect(await other.verify()).toMatchObject({ verified: false, findings: [], length: 8 });
  });
});
