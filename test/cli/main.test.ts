import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { main } from '../../src/cli/main.ts';
import { captureIo } from './captured-io.ts';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { io, stdout, stderr } = captureIo();
  const code = await main(argv, io);
  return { code, stdout: stdout(), stderr: stderr() };
}

describe('hybrid-session', () => {
  it.each([['--help'], ['-h'], ['help']])('lists its commands and exit codes for %s', async (flag) => {
    const { code, stdout, stderr } = await run(flag);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: hybrid-session <command>/);
    expect(stdout).toMatch(/^ {2}repro {2,}\w/m);
    expect(stdout).toMatch(/^ {2}doctor {2,}\w/m);
    expect(stdout).toMatch(/^ {2}simulate {2,}\w/m);
    expect(stdout).toContain('Exit codes: 0 all went well, 1 a check failed, 64 wrong arguments, 70');
  });

  it('tells its version', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it.each(['repro', 'doctor', 'simulate', 'export', 'import', 'inspect', 'erase'])(
    'explains %s in every way of asking',
    async (name) => {
      const asked = await run('help', name);
      expect(asked).toMatchObject({ code: 0, stderr: '' });
      expect(asked.stdout).toMatch(new RegExp(`^Usage: hybrid-session ${name} .*\\[options\\]\n`));
      expect(asked.stdout).toContain('Exit codes');
      expect(asked.stdout).toContain('Examples:');
      expect(await run(name, '--help')).toEqual(asked);
      expect(await run(name, '-h')).toEqual(asked);
      expect(await run(name, '--no-such-option', '--help')).toEqual(asked);
    },
  );

  it('says what to type when no command was given', async () => {
    expect(await run()).toEqual({
      code: 64,
      stdout: '',
      stderr: 'hybrid-session: invalid_argument: No command was given\nTry: hybrid-session --help\n',
    });
  });

  it.each([[['frobnicate']], [['help', 'frobnicate']], [['--frobnicate']]])(
    'refuses a command it does not have: %j',
    async (argv) => {
      const { code, stdout, stderr } = await run(...argv);
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
      expect(stderr).toBe(
        `hybrid-session: invalid_argument: There is no command '${argv.at(-1)}'\nTry: hybrid-session --help\n`,
      );
    },
  );

  it('uses no colours', async () => {
    const { stdout } = await run('repro', '--model', 'gpt-5.4', '--turns', '1');
    expect(stdout).not.toContain('\u001B');
  });
});
