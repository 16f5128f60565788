import { Agent } from '@openai/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../../scripts/servers/own-server.mjs';
import { HybridSession } from '../../src/index.ts';
import { redisLedger } from '../../src/redis.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { checkpoint, record } from './support/records.ts';
import { redisPair, type RedisPair } from './support/redis-cluster.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { FULL } from '../support/runs.ts';

const isFull = FULL && hasProgram('redis-server');
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

describe.skipIf(!isFull)('redisLedger on a cluster that reads from a replica', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let pair: RedisPair;
  beforeAll(async () => {
    folder = await temporaryFolder();
    pair = await redisPair(folder.path);
  });
  afterAll(async () => {
    await pair.close();
    await folder.remove();
  });

  it('the replica of the cluster answers with stale data', async () => {
    await pair.cluster.set('key', 'old');
    await pair.replica.sendCommand(['READONLY']);
    while ((await pair.replica.get('key')) !== 'old') continue;
    await pair.cut();
    await pair.cluster.set('key', 'new');
    const seen = await Promise.all(Array.from({ length: 30 }, () => pair.cluster.get('key')));
    expect(new Set(seen)).toEqual(new Set(['old', 'new']));
    await pair.join();
  });

  it('a Redis ledger whose cluster reads from a replica reads what it has appended, while the replica lags', async () => {
    const store = redisLedger({ client: pair.cluster });
    await pair.cut();
    const seen: unknown[] = [];
    for (let version = 0; version < 30; version += 1) {
      await store.append('session-1', [record(`${version}`)], checkpoint(version + 1), version);
      seen.push((await store.checkpoint('session-1'))?.version);
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, version) => version + 1));
    expect((await store.read('session-1')).records).toHaveLength(30);
    await pair.join();
  });

  it('a Redis ledger whose cluster reads from a replica shows another process every turn that was acknowledged, while the replica lags', async () => {
    const { client } = simulated({ unlink: 'none' });
    const store = redisLedger({ client: pair.cluster });
    const first = new HybridSession({ client, ledger: store });
    const conversationId = await first.getSessionId();
    const runner = simulatedRunner(client);
    await runner.run(agent, 'one', { session: first });
    await pair.cut();
    for (const text of ['two', 'three']) await runner.run(agent, text, { session: first });
    const second = new HybridSession({ client, conversationId, ledger: { ...store } });
    await runner.run(agent, 'four', { session: second });
    for (const session of [first, second]) {
      const said = texts(await session.getItems()).filter((_, at) => at % 2 === 0);
      expect(said).toEqual(['one', 'two', 'three', 'four']);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], length: 8 });
    }
    await pair.join();
  });
});
