// Time and memory of the commands on many sessions: node scripts/load/many-sessions.mjs [sessions]
//
// The sessions are in one SQLite file, each with 10 items; every hundredth has lost an item. The API is the simulator in this process,
// the commands run in processes of their own, with a heap of 96 MB. Needs a build.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { HybridSession } from '../../dist/esm/src/index.js';
import { sqliteLedger } from '../../dist/esm/src/sqlite.js';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';

const COUNT = Number(process.argv[2] ?? 10_000);
const ITEMS = 10;
const CLI = join(import.meta.dirname, '..', '..', 'dist', 'esm', 'src', 'cli.js');
/** A command that kept its sessions would need more. */
const HEAP = '--max-old-space-size=96';
const MEASURE = `data:text/javascript,process.on('exit',()=>process.stderr.write('RSS '+process.resourceUsage().maxRSS+'\\n'))`;

const folder = mkdtempSync(join(tmpdir(), 'many-sessions-'));
const simulator = createSimulatorCore({ unlink: 'none' });
const server = await simulator.listen();
const path = join(folder, 'sessions.db');
const ledger = sqliteLedger({ path });
const client = new OpenAI({ apiKey: 'test', fetch: simulator.fetch });

for (let at = 0; at < COUNT; at += 1) {
  const session = new HybridSession({ sessionId: `user-${at}`, client, ledger, bookmark: false });
  await session.addItems(
    Array.from({ length: ITEMS }, (_, item) => ({ role: 'user', content: `item ${item} of session ${at}` })),
  );
  if (at % 100 !== 0) continue;
  const conversation_id = session.conversationId;
  const { data } = await client.conversations.items.list(conversation_id, { order: 'desc', limit: 1 });
  await client.conversations.items.delete(data[0].id, { conversation_id });
}
await ledger.close();

for (const args of [
  ['list'],
  ['list', '--turns', '--json'],
  ['doctor', '--all'],
  ['doctor', '--all', '--html', join(folder, 'damage')],
  ['verify', '--all', '--concurrency', '8'],
  ['heal', '--all'],
]) {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [HEAP, '--import', MEASURE, CLI, ...args, '--ledger', `sqlite:${path}`],
    {
      env: { ...process.env, OPENAI_API_KEY: 'test', OPENAI_BASE_URL: server.url },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = await once(child, 'close');
  const seconds = (performance.now() - began) / 1000;
  const megabytes = Math.round(Number(/RSS (\d+)/.exec(said)?.[1]) / 1024);
  const summary = said.split('\n').findLast((line) => /^[\d,]+ /.test(line));
  const command = args.filter((arg) => !arg.startsWith(folder)).join(' ');
  console.log(`${command}: exit ${code}, ${seconds.toFixed(1)} s, ${megabytes} MB, ${summary}`);
}
await server.close();
rmSync(folder, { recursive: true });
