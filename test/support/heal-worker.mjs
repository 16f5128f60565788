// A process of its own that heals one conversation: `node heal-worker.mjs '{...}'`, see heal-process.ts.
// Prints `ready`, then the new ID. Reads the built package, as an app would.
import OpenAI from 'openai';
import { HybridSession } from '../../dist/esm/src/index.js';
import { clock } from '../../dist/esm/src/util/clock.js';
import { sqliteLedger } from '../../dist/esm/src/sqlite.js';

const { path, conversationId, baseURL, mirrorLease, later } = JSON.parse(process.argv[2] ?? '{}');
clock.now = () => Date.now() + later;
const ledger = sqliteLedger({ path });
const client = new OpenAI({ apiKey: 'test', baseURL });
const session = new HybridSession({ client, conversationId, ledger, advanced: { mirrorLease } });
process.stdout.write('ready\n');
const healed = await session.heal();
process.stdout.write(`${healed.conversationId}\n`);
await ledger.close();
