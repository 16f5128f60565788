import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentInputItem } from '@openai/agents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { textOf } from '../../../mocks/wire/item.ts';
import { toJsonLines } from '../../../src/index.ts';
import { FULL } from '../../support/runs.ts';

const CLI = fileURLToPath(new URL('../../../dist/esm/src/cli.js', import.meta.url));
const COUNT = 5000;
const CRASHES = 2;

const items = Array.from({ length: COUNT }, (_, at): AgentInputItem => ({
  role: 'user',
  content: `item ${at}`,
}));
const text = [...toJsonLines(items)].join('');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(!FULL || !existsSync(CLI))('an import of thousands of items that is cut short', () => {
  let folder = '';
  let simulator: SimulatorCore;
  let url = '';
  let close: () => Promise<void>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    writeFileSync(join(folder, 'items.jsonl'), text);
    simulator = createSimulatorCore({ unlink: 'none' });
    const server = await simulator.listen();
    ({ url } = server);
    close = () => server.close();
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, ['--max-old-space-size=256', CLI, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], OPENAI_API_KEY: 'test', OPENAI_BASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    const ended = once(child, 'close').then(([code]): Ended => ({
      code: code as number | null,
      stdout,
      stderr,
    }));
    return { child, ended };
  }

  /** Runs until the conversation was written to that often, and sends the signal then. */
  async function cut(writes: number, signal: NodeJS.Signals, ...args: string[]): Promise<Ended> {
    const { child, ended } = start(...args);
    let seen = 0;
    const end = simulator.onRequest(({ method, path }) => {
      if (method === 'POST' && path.endsWith('/items') && (seen += 1) === Math.floor(writes))
        child.kill(signal);
    });
    const result = await ended;
    end();
    return result;
  }

  /** The texts in a conversation's list. */
  function listed(id: string): string[] {
    const conversation = simulator.snapshot().conversations.find((one) => one.id === id);
    return (conversation?.items ?? []).map((item) => textOf(item));
  }

  const whole = items.map((item) => (item as { content: string }).content);

  it.each([
    { name: 'with a ledger', ledger: ['--ledger', 'sqlite:ledger.db'] },
    { name: 'without one', ledger: [] },
  ])(
    'an interrupted import goes on at its place after a crash, $name: no copy and no gap',
    async ({ ledger }) => {
      let id = '';
      for (let crash = 1; crash <= CRASHES; crash += 1) {
        const target = id === '' ? [] : ['--conversation', id];
        const crashed = await cut(COUNT / 80, 'SIGKILL', 'import', 'items.jsonl', ...target, ...ledger);
        expect(crashed.code).toBe(null);
        id ||= /New conversation (\S+)/.exec(crashed.stderr)?.[1] ?? '';
        expect(listed(id).length).toBeGreaterThan((COUNT / 5) * crash);
        expect(listed(id).length).toBeLessThan(COUNT);
      }
      const { ended } = start('import', 'items.jsonl', '--conversation', id, ...ledger);
      expect(await ended).toMatchObject({ code: 0, stdout: `${id}\n` });
      expect(listed(id)).toEqual(whole);
      if (ledger.length === 0) return;
      const exported = start('export', id, ...ledger);
      expect((await exported.ended).stdout).toBe(text);
    },
  );

  it('an import that Ctrl-C stopped says how to go on, and goes on', async () => {
    const stopped = await cut(COUNT / 100, 'SIGINT', 'import', 'items.jsonl', '--ledger', 'sqlite:ledger.db');
    expect(stopped).toMatchObject({ code: 130, stdout: '' });
    const id = /New conversation (\S+)/.exec(stopped.stderr)?.[1] ?? '';
    expect(stopped.stderr).toContain(
      `Stopped by SIGINT.\nTo go on: agents-hybrid-session import items.jsonl --conversation ${id} --ledger ... (nothing is written twice)\n`,
    );
    expect(listed(id).length).toBeLessThan(COUNT);
    const { ended } = start('import', 'items.jsonl', '--conversation', id, '--ledger', 'sqlite:ledger.db');
    expect(await ended).toMatchObject({ code: 0, stdout: `${id}\n` });
    expect(listed(id)).toEqual(whole);
  });

  it('an interrupted import into a ledger is there or not there', async () => {
    const args = ['import', 'items.jsonl', '--ledger', 'sqlite:ledger.db', '--session', 's'];
    const counts: number[] = [];
    for (const changes of [1, 2, 3, 5, 8, 13]) {
      const { child, ended } = start(...args);
      let seen = 0;
      const watcher = watch(folder, () => {
        seen += 1;
        if (seen >= changes) child.kill('SIGKILL');
      });
      await ended;
      watcher.close();
      const inspected = await start('inspect', 's', '--ledger', 'sqlite:ledger.db', '--json').ended;
      counts.push(inspected.code === 0 ? (JSON.parse(inspected.stdout) as { length: number }).length : 0);
    }
    expect(counts.filter((count) => count !== 0 && count !== COUNT)).toEqual([]);
    expect(await start(...args).ended).toMatchObject({ code: 0, stdout: 's\n' });
    expect((await start('export', 's', '--ledger', 'sqlite:ledger.db').ended).stdout).toBe(text);
  });
});
