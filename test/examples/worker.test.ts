import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { startProgram } from '../package/run-program.ts';
import { d1Module } from '../stores/support/d1-engine.ts';
import { isBuilt, linkExample } from './support/linked-example.ts';

/** The example with its bundle, and an API of its own. */
async function built() {
  const app = linkExample('worker');
  // The main file of miniflare is two folders below the package.
  const miniflare = dirname(dirname(dirname(d1Module ?? '')));
  symlinkSync(miniflare, join(app, 'node_modules', 'miniflare'));
  const bundle = await rolldown({
    input: join(app, 'worker.js'),
    platform: 'node',
    external: [/^node:/],
    resolve: { conditionNames: ['workerd', 'worker'] },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'es', codeSplitting: false });
  await bundle.close();
  mkdirSync(join(app, 'out'));
  // A module of workerd has no address.
  const code = output[0].code.replaceAll('import.meta.url', "'/worker.mjs'");
  writeFileSync(join(app, 'out', 'worker.mjs'), code);
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  onTestFinished(() => simulator.close());
  const { url } = await simulator.listen();
  const env = { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'test' };

  /** Starts the Worker on the database of a folder, asks it, and ends it. */
  return async (folder: string, text: string): Promise<string> => {
    const program = startProgram('node', ['serve.js', '0', folder], { cwd: app, env });
    const end = async (): Promise<void> => {
      program.child.kill('SIGTERM');
      await program.finished;
    };
    onTestFinished(end);
    const listening = await program.line(/^Listening on /);
    const at = new URL('?user=ada', listening.replace('Listening on ', ''));
    const response = await fetch(at, { method: 'POST', body: text });
    expect(response.status).toBe(200);
    const { answer } = (await response.json()) as { answer: string };
    await end();
    return answer;
  };
}

const missing = d1Module === undefined ? ' (TEST_D1_MODULE is not set)' : '';

describe.runIf(d1Module !== undefined && isBuilt)(`the example worker${missing}`, () => {
  it('the Worker continues a conversation after another start with the same D1 database, and not with another one', async () => {
    const ask = await built();
    await ask('data', 'my name is Ada');
    expect(await ask('data', 'what is my name?')).toContain('I see 3 items (2u 1a): u "my name is Ada"');
    expect(await ask('other', 'what is my name?')).toContain('I see 1 item');
  });
});
