import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ledgerStoreContract } from '../../src/testing.ts';
import { d1Module, startWorker, type Miniflare } from './support/d1-engine.ts';

/** Runs the checks of the contract within the runtime, on its binding. */
const WORKER = `
import { d1Ledger } from './src/d1.ts';
import { ledgerStoreContract } from './src/testing.ts';

const create = (database) => ({
  open: () => ({ store: d1Ledger({ database }) }),
  remove: async () => {
    for (const table of ['hybrid_session_ledger', 'hybrid_session_ledger_record'])
      await database.exec('DROP TABLE IF EXISTS ' + table);
  },
});

export default {
  async fetch(request, { DB0 }) {
    const name = await request.text();
    const check = ledgerStoreContract({ create: () => create(DB0) }).find((one) => one.name === name);
    return new Response(await check.run().then(() => 'passed', (error) => String(error)));
  },
};
`;

/** The Worker and all of its imports in one file, as a deployment makes it. */
async function bundled(): Promise<string> {
  const entry = join(process.cwd(), 'worker.js');
  const plugin = {
    name: 'worker',
    resolveId: (id: string) => (id === 'worker' ? entry : undefined),
    load: (id: string) => (id === entry ? WORKER : undefined),
  };
  const build = await rolldown({
    input: 'worker',
    external: [/^node:/],
    plugins: [plugin],
    logLevel: 'silent',
  });
  const { output } = await build.generate({ format: 'es', codeSplitting: false });
  await build.close();
  return output[0].code;
}

/** The others take long and test no more of the runtime: they run from outside. */
const isQuick = ({ name }: { readonly name: string }): boolean =>
  !/megabytes|10,000|^lists|any text/.test(name);

const missing = d1Module === undefined ? ' (TEST_D1_MODULE is not set)' : '';

describe.skipIf(d1Module === undefined)(`d1Ledger in a Worker${missing}`, () => {
  let miniflare: Miniflare | undefined;
  beforeAll(async () => {
    miniflare = await startWorker(await bundled());
  });
  afterAll(async () => {
    await miniflare?.dispose();
  });

  it.for(ledgerStoreContract({ create: () => Promise.reject(new Error('not here')) }).filter(isQuick))(
    'a D1 ledger in a Worker $name',
    async ({ name }) => {
      const response = await miniflare?.dispatchFetch('http://worker/', { method: 'POST', body: name });
      expect(await response?.text()).toBe('passed');
    },
  );
});
