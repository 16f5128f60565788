import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import type { SimulatorOptions } from '../../../mocks/options.ts';
import { main } from '../../../src/cli/main.ts';
import { captureIo, type Surroundings } from './captured-io.ts';

/** The output and the exit code of a command. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process. */
export async function runCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  surroundings: Surroundings = {},
): Promise<Ran> {
  const { io, stdout, stderr } = captureIo(env, surroundings);
  const code = await main(argv, io);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** A folder of its own for each test. */
export function temporaryFolder(): (name: string) => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** A simulator that listens while a test runs, and the environment of a command that is to talk to it. */
export function listeningSimulator(options: SimulatorOptions = {}): {
  readonly simulator: () => SimulatorCore;
  readonly env: () => Record<string, string>;
} {
  let simulator: SimulatorCore;
  let url = '';
  let close: () => Promise<void>;
  beforeEach(async () => {
    simulator = createSimulatorCore(options);
    const server = await simulator.listen();
    ({ url } = server);
    close = () => server.close();
  });
  afterEach(() => close());
  return { simulator: () => simulator, env: () => ({ OPENAI_API_KEY: 'sk-secret', OPENAI_BASE_URL: url }) };
}
