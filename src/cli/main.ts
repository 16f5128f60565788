import { UsageError, type CliIo, type Command } from './command.ts';
import { repro } from './repro.ts';

const COMMANDS: readonly Command[] = [repro];

/** Exit code for arguments that are wrong. */
const USAGE = 64;
/** Exit code for everything that failed on the way. */
const FAILED = 70;

/** Runs `hybrid-session` with the given arguments. @returns the exit code. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(overview());
    return name === undefined ? USAGE : 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  try {
    if (command === undefined) throw new UsageError(`there is no command '${name}'`, 'hybrid-session --help');
    if (args.includes('--help') || args.includes('-h')) {
      io.out(command.help);
      return 0;
    }
    return await command.run(args, io);
  } catch (error) {
    return failed(error, name, io);
  }
}

function overview(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return `Usage: hybrid-session <command> [options]\n\n${lines.join('\n')}\n\nHelp for one command: hybrid-session <command> --help\n`;
}

function failed(error: unknown, name: string, io: CliIo): number {
  if (error instanceof UsageError) {
    io.err(`hybrid-session: ${error.message}\nTry: ${error.hint}\n`);
    return USAGE;
  }
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const message = error instanceof Error ? error.message : String(error);
  io.err(`hybrid-session ${name}: ${code}${message}\nTry: hybrid-session ${name} --help\n`);
  return FAILED;
}
