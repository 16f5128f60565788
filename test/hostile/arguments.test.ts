import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { listen, type Listening } from '../../mocks/http/listen.ts';
import { main } from '../../src/cli/main.ts';
import { captureIo } from '../cli/support/captured-io.ts';
import { guardProcess, holds, hostileText } from './support/property.ts';

guardProcess();

const SECRET = 'sk-secret-of-the-environment';
const CODES = [0, 1, 64, 70, 130];

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let server: Listening;
let folder = '';
const home = process.cwd();

beforeAll(async () => {
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  server = await listen((request) => simulator.handle(request), { port: 0, host: '127.0.0.1' });
  folder = mkdtempSync(join(tmpdir(), 'arguments-'));
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
  await server.close();
});

/** Runs the program; a command that waits for a signal gets one at once. */
async function run(argv: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  const { io, stdout, stderr } = captureIo({ OPENAI_API_KEY: SECRET, OPENAI_BASE_URL: server.url, ...env });
  const code = await main(argv, { ...io, stopped: async () => 'SIGINT' });
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Every command there is, with every option that its help names. */
async function commands(): Promise<Map<string, string[]>> {
  const { stdout } = await run(['--help']);
  const table = /\n\n((?: {2}[a-z-]+ .*\n)+)/.exec(stdout)?.[1] ?? '';
  const names = [...table.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
  const found = new Map<string, string[]>();
  for (const name of names) {
    const { stdout: help } = await run(['help', name]);
    found.set(name, [...new Set([...help.matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option))]);
  }
  return found;
}

it('any arguments lead to a documented exit code and a hint, without a secret', async () => {
  const all = await commands();
  expect([...all.keys()]).toEqual(expect.arrayContaining(['repro', 'simulate']));
  const value = fc.oneof(
    hostileText.map((text) => text.slice(0, 300).replaceAll('\0', '')),
    fc.constantFrom(
      '0',
      '1',
      '-1',
      '1e9',
      '999999999999999999999',
      'gpt-5.4',
      'conv_x',
      'none',
      '',
      '--',
      '-',
      SECRET,
    ),
  );
  const argv = fc
    .constantFrom(...all.keys())
    .chain((name) =>
      fc.tuple(
        fc.constantFrom(name, name, name, name.toUpperCase(), `${name} `, '__proto__', 'constructor'),
        fc.array(
          fc.oneof(
            fc.constantFrom(...(all.get(name) ?? []), '--no-such-option', '-x'),
            fc
              .tuple(fc.constantFrom(...(all.get(name) ?? [])), value)
              .map(([option, one]) => `${option}=${one}`),
            value,
          ),
          { maxLength: 4 },
        ),
      ),
    )
    // A name that is no address would be asked for outside of this machine; many turns take their time.
    .map(([name, rest]) => [name, ...rest].filter((one) => !/^--(host|turns)/.test(one)));
  const env = fc.dictionary(fc.constantFrom('NO_COLOR', 'DEBUG', 'HOME', 'LANG'), value, { maxKeys: 2 });
  await holds(25, fc.tuple(argv, env), async ([given, around]) => {
    const { code, stdout, stderr } = await run(given, around);
    expect(CODES).toContain(code);
    if (code >= 64 && code !== 130) {
      expect(stderr).toMatch(/\nTry: .+\n$/s);
      expect(stderr).toMatch(/^agents-hybrid-session/);
    }
    expect(stdout + stderr).not.toContain(SECRET);
    expect(stdout + stderr).not.toMatch(/\n\s+at .+:\d+:\d+/);
    expect(stderr).not.toMatch(/(?![\n\t])\p{Cc}/u);
  });
});

it('no argument or one word of any kind leads to a usage error', async () => {
  await holds(60, fc.array(hostileText, { maxLength: 1 }), async (given) => {
    const { code, stdout, stderr } = await run(given);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/\nTry: agents-hybrid-session --help\n$/);
  });
});
