// An app of its own that is asked to stop: `node closing-worker.mjs '{...}'`. Prints `ready` once its item is in the ledger and
// the conversation lacks it, and the result of closeAll() as JSON. Reads the built package, as an app would.
import '@openai/agents';
import OpenAI from 'openai';
import { closeAll, HybridSession } from '../../dist/esm/src/index.js';
import { sqliteLedger } from '../../dist/esm/src/sqlite.js';

const { baseURL, path, conversationId, listener, timeout } = JSON.parse(process.argv[2] ?? '{}');
const ledger = sqliteLedger({ path });
const session = new HybridSession({
  client: new OpenAI({ apiKey: 'test', baseURL }),
  conversationId,
  ledger,
  mirror: 'background',
});

async function stop() {
  const { flushed, unfinished } = await closeAll({ timeout });
  process.stdout.write(`${JSON.stringify({ flushed, unfinished })}\n`);
  await ledger.close();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT']) {
  if (listener === 'on') process.on(signal, () => void stop());
  if (listener === 'once') process.once(signal, () => void stop());
}
await session.addItems([{ role: 'user', content: 'one' }]);
process.stdout.write('ready\n');
setInterval(() => undefined, 60_000); // a server stays, too
