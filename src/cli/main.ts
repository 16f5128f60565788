import { createRequire } from 'node:module';
import { UsageError, type CliIo, type Command, describeError } from './command.ts';
import { closest } from './input/closest.ts';
import { redactSecrets } from './output/redact.ts';

interface NamedCommand {
  readonly name: string;
  readonly summary: string;
  /** Loaded on demand: the SDK takes a second to load and installs its own signal handlers. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly NamedCommand[] = [
  {
    name: 'heal',
    summary: 'write the whole history of a damaged conversation to a fresh one',
    load: async () => (await import('./commands/heal.ts')).heal,
  },
  {
    name: 'repro',
    summary: 'replay the report of lost messages with the stock session and with ours',
    load: async () => (await import('./commands/repro.ts')).repro,
  },
  {
    name: 'doctor',
    summary: 'show the damage of one conversation, and the items that can be restored',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'simulate',
    summary: 'serve a simulator of the API over HTTP, for any client',
    load: async () => (await import('./commands/simulate.ts')).simulate,
  },
  {
    name: 'export',
    summary: 'write a conversation as JSON Lines or Markdown',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  {
    name: 'import',
    summary: 'write JSON Lines into a ledger or a new conversation',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  {
    name: 'inspect',
    summary: "show the contents of a session's ledger",
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  {
    name: 'list',
    summary: 'list the sessions of a ledger',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'verify',
    summary: 'prove that the histories of sessions are complete',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  {
    name: 'erase',
    summary: 'remove every trace of a session',
    load: async () => (await import('./commands/erase.ts')).erase,
  },
  {
    name: 'sweep',
    summary: 'remove the sessions of a ledger that were not changed for a time',
    load: async () => (await import('./commands/sweep.ts')).sweep,
  },
];

/** Exit code for wrong arguments. */
const USAGE = 64;
/** Exit code for any other failure. */
const FAILED = 70;

/** Runs `agents-hybrid-session` with the given arguments. @returns the exit code. */
export async function main(argv: readonly string[], given: CliIo): Promise<number> {
  const io = redactSecrets(given, argv);
  const [name, ...args] = argv;
  try {
    if (name === undefined) throw new UsageError('No command was given', 'agents-hybrid-session --help');
    if (name === '--version') return say(io, `${version()}\n`);
    if (name === '--help' || name === '-h') return say(io, overview());
    if (name === 'help')
      return say(io, args[0] === undefined ? overview() : (await commandNamed(args[0])).help);
    const command = await commandNamed(name);
    if (args.includes('--help') || args.includes('-h')) return say(io, command.help);
    return await command.run(args, io);
  } catch (error) {
    io.err(describeError(error, nameOf(name)));
    return error instanceof UsageError ? USAGE : FAILED;
  }
}

function commandNamed(name: string): Promise<Command> {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    const meant = closest(
      name,
      COMMANDS.map((one) => one.name),
    );
    throw new UsageError(`There is no command '${name}'`, `agents-hybrid-session ${meant ?? '--help'}`);
  }
  return command.load();
}

function say(io: CliIo, text: string): number {
  io.out(text);
  return 0;
}

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return `Usage: agents-hybrid-session <command> [options]

${lines.join('\n')}

  help NAME  options and examples of one command (also: agents-hybrid-session NAME --help)
  --version  the version of this package

From npm, without an installation: npx agents-hybrid-session <command>

Exit codes: 0 all went well, 1 a check failed, ${USAGE} wrong arguments, ${FAILED} another failure, 130 stopped.
Data goes to stdout, messages to stderr.
`;
}

/** Read by the package's own name, which works from the sources and from a build. */
function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('agents-hybrid-session/package.json');
  const found: unknown =
    typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined;
  return String(found);
}

function nameOf(name: string | undefined): string {
  const known = name !== undefined && COMMANDS.some((command) => command.name === name);
  return known ? `agents-hybrid-session ${name}` : 'agents-hybrid-session';
}
