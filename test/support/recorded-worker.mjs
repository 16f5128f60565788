// A process of its own that records one run as it goes and dies at a boundary: `node recorded-worker.mjs '{...}'`. The boundaries are,
// in order: before and after each request, before and after each tool. Prints what it does; `ended` if it was not killed.
import { writeSync } from 'node:fs';
import { Agent, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { HybridRunner, HybridSession } from '../../dist/esm/src/index.js';
import { sqliteLedger } from '../../dist/esm/src/sqlite.js';
import { clock } from '../../dist/esm/src/util/clock.js';

const { path, sessionId, baseURL, text, dieAt, stream, mirrorLease, later } = JSON.parse(
  process.argv[2] ?? '{}',
);
clock.now = () => Date.now() + later;

let boundaries = 0;

/** Writes at once: a killed process has no buffers to empty. */
function print(line) {
  writeSync(1, `${line}\n`);
}

function boundary(name) {
  boundaries += 1;
  print(`${boundaries} ${name}`);
  if (boundaries === dieAt) process.kill(process.pid, 'SIGKILL');
}

const client = new OpenAI({
  apiKey: 'test',
  baseURL,
  fetch: async (url, init) => {
    const isModel = init?.method === 'POST' && new Request(url).url.endsWith('/responses');
    boundary(isModel ? 'ask' : 'request');
    const response = await fetch(url, init);
    boundary(isModel ? 'asked' : 'requested');
    return response;
  },
});

const find = tool({
  name: 'find',
  description: 'Finds',
  parameters: z.object({}),
  execute: () => {
    boundary('execute');
    print('found');
    boundary('executed');
    return 'found';
  },
});

const session = new HybridSession({
  client,
  sessionId,
  ledger: sqliteLedger({ path }),
  advanced: { mirrorLease },
});
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [find] });
const runner = new HybridRunner({ tracingDisabled: true, record: 'as-it-goes' });
if (stream) {
  const streamed = await runner.run(agent, text, { session, stream });
  await streamed.completed;
} else await runner.run(agent, text, { session });
print('ended');
await session.flush();
