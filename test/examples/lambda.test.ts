import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { outline } from '../../mocks/wire/outline.ts';
import { startProgram } from '../package/run-program.ts';
import { FULL } from '../support/runs.ts';
import { isBuilt, linkExample } from './support/linked-example.ts';

const RUNTIME = join(import.meta.dirname, 'support', 'lambda-runtime.mjs');

interface Answered {
  readonly statusCode: number;
  readonly body: string;
}

/** The function with an API of its own. */
async function deploy(): Promise<{
  readonly app: string;
  readonly simulator: SimulatorCore;
  /** Invokes it in a process of its own, which is frozen when it has answered, and never continues. */
  readonly invoke: (text: string, milliseconds?: number) => Promise<Answered>;
}> {
  const app = linkExample('lambda');
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  onTestFinished(() => simulator.close());
  const { url } = await simulator.listen();
  const env = {
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'test',
    HYBRID_SESSION_LEDGER: `sqlite:${join(app, 'sessions.db')}`,
  };
  const invoke = async (text: string, milliseconds = 600_000): Promise<Answered> => {
    const event = JSON.stringify({ user: 'ada', text, milliseconds });
    const program = startProgram('node', [RUNTIME, event], { cwd: app, env });
    onTestFinished(() => void program.child.kill('SIGKILL'));
    const line = await program.line(/^answered /);
    return JSON.parse(line.replace('answered ', '')) as Answered;
  };
  return { app, simulator, invoke };
}

const listOf = (simulator: SimulatorCore): string =>
  outline(simulator.snapshot().conversations.at(-1)?.items ?? []);

describe.runIf(FULL && isBuilt)('the example lambda', () => {
  it('the function has written the conversation when it freezes, and a cold start goes on with every turn', async () => {
    const { simulator, invoke } = await deploy();
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    expect((await invoke('my name is Ada')).statusCode).toBe(200);
    expect(listOf(simulator)).toBe('u,a');
    const { body } = await invoke('what is my name?');
    expect(body).toContain('I see 3 items (2u 1a)');
  });

  it('the function without flush() leaves the conversation behind, and loses no turn of the ledger', async () => {
    const { app, simulator, invoke } = await deploy();
    const file = join(app, 'handler.js');
    const code = readFileSync(file, 'utf8');
    expect(code).toContain('await session.flush({ timeout })');
    writeFileSync(file, code.replace('await session.flush({ timeout })', '0'));
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    expect((await invoke('my name is Ada')).statusCode).toBe(200);
    expect(listOf(simulator)).toBe('');
    expect((await invoke('what is my name?')).body).toContain('I see 3 items (2u 1a)');
  });

  it('the function answers before its time is over where the model does not, and the question is kept', async () => {
    const { simulator, invoke } = await deploy();
    const lift = simulator.fault('responses.create', 'no_answer');
    expect((await invoke('my name is Ada', 12_000)).statusCode).toBe(503);
    lift();
    expect((await invoke('what is my name?')).body).toContain('(2u)');
  });
});
