import { createRequire } from 'node:module';
import { UsageError } from './command-error.ts';
import type { CliIo, Command } from './command.ts';
import { guardedIo, plain } from './guarded-io.ts';
import { describeError } from './describe-error.ts';

interface NamedCommand {
  readonly name: string;
  readonly summary: string;
  /** The SDK takes a second to load and answers signals in its own way: a command that does not need it is spared both. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly NamedCommand[] = [
  {
    name: 'heal',
    summary: 'write the whole history of a damaged conversation to a fresh one',
    load: async () => (await import('./heal.ts')).heal,
  },
  {
    name: 'repro',
    summary: 'replay the report of lost messages with the stock session and with ours',
    load: async () => (await import('./repro.ts')).repro,
  },
  {
    name: 'doctor',
    summary: 'show what is wrong with one conversation, and what can be restored',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'simulate',
    summary: 'serve a simulator of the API over HTTP, for any client',
    load: async () => (await import('./simulate.ts')).simulate,
  },
  {
    name: 'export',
    summary: 'write a conversation as JSON Lines or Markdown',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'import',
    summary: 'write JSON Lines into a ledger or a new conversation',
    load: async () => (await import('./import.ts')).importCommand,
  },
  {
    name: 'inspect',
    summary: "show what a session's ledger says",
    load: async () => (await import('./inspect.ts')).inspect,
  },
  {
    name: 'erase',
    summary: 'remove every trace of a session',
    load: async () => (await import('./erase.ts')).erase,
  },
];

/** Exit code for arguments that are wrong. */
const USAGE = 64;
/** Exit code for everything that failed on the way. */
const FAILED = 70;

/** Runs `hybrid-session` with the given arguments. @returns the exit code. */
export async function main(argv: readonly string[], given: CliIo): Promise<number> {
  const io = guardedIo(given);
  const [name, ...args] = argv;
  try {
    if (name === undefined) throw new UsageError('No command was given', 'hybrid-session --help');
    if (name === '--version') return say(io, `${version()}\n`);
    if (name === '--help' || name === '-h') return say(io, overview());
    if (name === 'help')
      return say(io, args[0] === undefined ? overview() : (await commandNamed(args[0])).help);
    const command = await commandNamed(name);
    if (args.includes('--help') || args.includes('-h')) return say(io, command.help);
    return await command.run(args, io);
  } catch (error) {
    io.err(plain(describeError(error, nameOf(name))));
    return error instanceof UsageError ? USAGE : FAILED;
  }
}

function commandNamed(name: string): Promise<Command> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new UsageError(`There is no command '${name}'`, 'hybrid-session --help');
  return command.load();
}

function say(io: CliIo, text: string): number {
  io.out(text);
  return 0;
}

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return `Usage: hybrid-session <command> [options]

${lines.join('\n')}

  help NAME  options and examples of one command (also: hybrid-session NAME --help)
  --version  the version of this package

Exit codes: 0 all went well, 1 a check failed, ${USAGE} wrong arguments, ${FAILED} something failed on the way, 130 stopped.
Data goes to stdout, words about it to stderr.
`;
}

/** By the package's own name, so that it is found from the sources and from a build alike. */
function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('agents-hybrid-session/package.json');
  const found: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return String(found);
}

function nameOf(name: string | undefined): string {
  const known = name !== undefined && COMMANDS.some((command) => command.name === name);
  return known ? `hybrid-session ${name}` : 'hybrid-session';
}
