import { HybridSession, inspectLedger, type Erased, type LedgerInspection } from '../index.ts';
import { CommandError, UsageError } from './command-error.ts';
import type { CliIo, Command } from './command.ts';
import { firstLine } from './first-line.ts';
import { LEDGER_OPTIONS, SESSION, withLedger, type OpenedSessionLedger } from './ledger-command.ts';
import { LEDGER_FORMS } from './ledger-location.ts';
import { parseOperand } from './parse-options.ts';
import { printable } from './printable.ts';
import { untilStopped } from './until-stopped.ts';

const HELP = `Usage: hybrid-session erase <session> --ledger WHERE [options]

Removes every trace of a session from its ledger, for good; with --remote its responses, the responses they continue, and
its conversation from the API, too. Asks for the session's ID to be typed; where nobody sits at a terminal, --yes is
needed.

  <session>         the conversation's ID, or the session's name where there is no conversation
  --ledger WHERE    the session's ledger: ${LEDGER_FORMS}
  --remote          also delete its responses and its conversation, with OPENAI_API_KEY
  --yes             do not ask
  --base-url URL    another server than the API's own (also: OPENAI_BASE_URL)

Prints one line for each thing that was removed. Asked again after it was cut short, it removes what is left.

Exit codes: 0 removed, 1 there was nothing to remove or it was not confirmed, 64 wrong arguments, 70 something failed on
the way, 130 stopped by Ctrl-C.

Examples:
  hybrid-session erase conv_123 --ledger sqlite:sessions.db
  hybrid-session erase user-42 --ledger redis:redis://localhost:6379 --yes
  OPENAI_API_KEY=sk-... hybrid-session erase conv_123 --ledger sqlite:sessions.db --remote --yes
`;

/** Removes a session. */
export const erase: Command = {
  help: HELP,
  async run(args, io) {
    const { values, operand } = parseOperand(
      'erase',
      args,
      { ...LEDGER_OPTIONS, remote: { type: 'boolean' }, yes: { type: 'boolean' } },
      SESSION,
    );
    const remote = values.remote === true;
    const typed = `hybrid-session erase ${operand} --ledger ${values.ledger === undefined ? 'WHERE' : '...'}${remote ? ' --remote' : ''}`;
    if (values.yes !== true && !io.terminal.input)
      throw new UsageError('Nobody is there to confirm: --yes is needed', `${typed} --yes`);
    return untilStopped(
      io,
      () => typed,
      (signal) =>
        withLedger(io, values, { command: 'erase', operand, readOnly: false }, async (opened) => {
          // Before anything is asked or removed: a key that is missing is to be known first.
          if (remote) opened.client();
          const found = await look(opened, operand);
          if (found === 'nothing' && !remote) {
            io.err(
              `The ledger at ${opened.ledger.name} knows no session '${printable(operand)}': nothing was removed.\n`,
            );
            return 1;
          }
          if (values.yes !== true && !(await confirmed(io, operand, describe(found, remote), signal))) {
            io.err('Not confirmed: nothing was removed.\n');
            return 1;
          }
          signal.throwIfAborted();
          const erased = await remove(opened, operand, remote, found);
          report(io, operand, erased, found);
          return found === 'nothing' && !erased.conversation ? 1 : 0;
        }),
    );
  },
};

/** What is known of the session; `unreadable` where its records cannot be read, but can be removed. */
type Found = LedgerInspection | 'unreadable' | 'nothing';

async function look({ ledger }: OpenedSessionLedger, sessionId: string): Promise<Found> {
  try {
    return (await inspectLedger(ledger.store, sessionId)) ?? 'nothing';
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'ledger_record' || code === 'ledger_decryption') return 'unreadable';
    throw error;
  }
}

function describe(found: Found, remote: boolean): string {
  const rest = remote ? ', its responses and its conversation' : '';
  if (typeof found === 'string') return `the session${rest}`;
  const responses = found.turns.flatMap((turn) => turn.responses).length;
  return `${found.length} item(s) and ${responses} response ID(s) in the ledger${rest}`;
}

async function confirmed(io: CliIo, sessionId: string, what: string, signal: AbortSignal): Promise<boolean> {
  io.err(`This removes ${what}, for good.\nType the session's ID to confirm: `);
  return (await firstLine(io, signal))?.trim() === sessionId;
}

async function remove(
  { ledger, client }: OpenedSessionLedger,
  sessionId: string,
  remote: boolean,
  found: Found,
): Promise<Erased> {
  const isReadable = typeof found === 'string' ? found === 'nothing' : found.damaged.length === 0;
  if (!isReadable && remote) {
    throw new CommandError(
      'session_unreadable',
      `The ledger of '${sessionId}' cannot be read, so its responses are not known`,
      `hybrid-session erase ${sessionId} --ledger ... (without --remote)`,
    );
  }
  if (remote) {
    const options = { client: client(), conversationId: sessionId, onIncomplete: 'warn' } as const;
    return new HybridSession({ ...options, ledger: ledger.store }).erase({ remote });
  }
  const isWhole = isReadable && (found === 'nothing' || (typeof found !== 'string' && found.before === 0));
  if (isWhole) return new HybridSession({ mirror: 'off', sessionId, ledger: ledger.store }).erase();
  // A session would have to read it first.
  await ledger.store.delete(sessionId);
  return {
    sessionId,
    items: typeof found === 'string' ? 0 : found.length,
    responses: [],
    conversation: false,
  };
}

function report(
  io: CliIo,
  sessionId: string,
  { items, responses, conversation }: Erased,
  found: Found,
): void {
  if (found !== 'nothing') {
    io.out(
      found === 'unreadable'
        ? `ledger ${printable(sessionId)}\n`
        : `ledger ${printable(sessionId)} ${items} items\n`,
    );
  }
  for (const id of responses) io.out(`response ${printable(id)}\n`);
  if (conversation) io.out(`conversation ${printable(sessionId)}\n`);
}
