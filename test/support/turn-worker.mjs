// A process of its own that takes turns on one session: `node turn-worker.mjs '{...}'`, see processes.ts.
// Prints `ready`, then each turn's text once its run has resolved. Reads the built package, as an app would.
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { HybridRunner, HybridSession } from '../../dist/esm/src/index.js';
import { clock } from '../../dist/esm/src/util/clock.js';

const { store, conversationId, baseURL, name, turns, mirrorLease, later } = JSON.parse(
  process.argv[2] ?? '{}',
);
clock.now = () => Date.now() + later;

async function open({ kind, at }) {
  if (kind === 'sqlite') {
    const { sqliteLedger } = await import('../../dist/esm/src/sqlite.js');
    return [sqliteLedger({ path: at }), async () => undefined];
  }
  if (kind === 'redis') {
    const { redisLedger } = await import('../../dist/esm/src/redis.js');
    const client = (await import('redis')).createClient({ url: at });
    await client.connect();
    return [redisLedger({ client }), () => client.close()];
  }
  if (kind === 'mysql') {
    const { mysqlLedger } = await import('../../dist/esm/src/mysql.js');
    const pool = (await import('mysql2/promise')).createPool({ uri: at, connectionLimit: 2 });
    return [mysqlLedger({ pool }), () => pool.end()];
  }
  const { postgresLedger } = await import('../../dist/esm/src/postgres.js');
  const pool = new (await import('pg')).default.Pool({ connectionString: at, max: 2 });
  return [postgresLedger({ pool }), () => pool.end()];
}

const [ledger, close] = await open(store);
const client = new OpenAI({ apiKey: 'test', baseURL });
const session = new HybridSession({ client, conversationId, ledger, advanced: { mirrorLease } });
const runner = new HybridRunner({ tracingDisabled: true });
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
process.stdout.write('ready\n');
for (let turn = 0; turn < turns; turn += 1) {
  const text = `${name} turn ${turn}`;
  await runner.run(agent, text, { session });
  process.stdout.write(`${text}\n`);
}
await session.flush();
await close();
process.stdout.write('flushed\n');
