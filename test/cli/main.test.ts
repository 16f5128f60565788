import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { main } from '../../src/cli/main.ts';
import { captureIo } from './support/captured-io.ts';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { io, stdout, stderr } = captureIo();
  const code = await main(argv, io);
  return { code, stdout: stdout(), stderr: stderr() };
}

describe('agents-hybrid-session', () => {
  it.each([['--help'], ['-h'], ['help']])(
    'the program lists its commands and exit codes for %s',
    async (flag) => {
      const { code, stdout, stderr } = await run(flag);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: agents-hybrid-session <command>/);
      expect(stdout).toMatch(/^ {2}repro {2,}\w/m);
      expect(stdout).toMatch(/^ {2}doctor {2,}\w/m);
      expect(stdout).toMatch(/^ {2}simulate {2,}\w/m);
      expect(stdout).toContain('Exit codes: 0 all went well, 1 a check failed, 64 wrong arguments, 70');
    },
  );

  it('the program prints its version', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it.each(['repro', 'doctor', 'simulate', 'export', 'import', 'inspect', 'erase', 'list', 'verify', 'sweep'])(
    'every way to ask for help explains %s',
    async (name) => {
      const asked = await run('help', name);
      expect(asked).toMatchObject({ code: 0, stderr: '' });
      expect(asked.stdout).toMatch(new RegExp(`^Usage: agents-hybrid-session ${name} .*\\[options\\]\n`));
      expect(asked.stdout).toContain('Exit codes');
      expect(asked.stdout).toContain('Examples:');
      expect(await run(name, '--help')).toEqual(asked);
      expect(await run(name, '-h')).toEqual(asked);
      expect(await run(name, '--no-such-option', '--help')).toEqual(asked);
    },
  );

  it('the program gives a hint without a command', async () => {
    expect(await run()).toEqual({
      code: 64,
      stdout: '',
      stderr:
        'agents-hybrid-session: invalid_argument: No command was given\nTry: agents-hybrid-session --help\n',
    });
  });

  it.each([[['frobnicate']], [['help', 'frobnicate']], [['--frobnicate']]])(
    'the program refuses an unknown command: %j',
    async (argv) => {
      const { code, stdout, stderr } = await run(...argv);
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
      expect(stderr).toBe(
        `agents-hybrid-session: invalid_argument: There is no command '${argv.at(-1)}'\nTry: agents-hybrid-session --help\n`,
      );
    },
  );

  it.each([
    ['docter', 'doctor'],
    ['Heal', 'heal'],
    ['verfiy', 'verify'],
    ['lst', 'list'],
    ['experiment', '--help'],
    ['x', '--help'],
    ['doctor'.repeat(10_000), '--help'],
  ])('the program suggests the command that is meant: %.20s', async (typed, meant) => {
    const { code, stderr } = await run(typed);
    expect(code).toBe(64);
    expect(stderr.split('\n').at(-2)).toBe(`Try: agents-hybrid-session ${meant}`);
  });

  it('the program uses no colours in help texts', async () => {
    const { stdout } = await run('repro', '--model', 'gpt-5.4', '--turns', '1');
    expect(stdout).not.toContain('\u001B');
  });
});
