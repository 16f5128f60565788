import { HybridSession, type Erased } from '../../index.ts';
import { findSession } from '../../doctor.ts';
import { inspectLedger, type LedgerInspection } from '../../doctor.ts';
import { escapeControls } from '../../util/escape-controls.ts';
import { CommandError, UsageError, type CliIo, type Command } from '../command.ts';
import { report } from '../output/redact.ts';
import { LEDGER_OPTIONS, SESSION, withLedger, type OpenedSessionLedger } from '../setup/ledger.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP } from '../input/ledger-location.ts';
import { parseOperand } from '../input/parse-options.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';

const HELP = `Usage: agents-hybrid-session erase <session> --ledger WHERE [options]

Removes every trace of a session from its ledger, for good. With --remote it also deletes the session's responses, their
ancestors, and its conversations from the API. It asks you to type the session's ID; without a terminal, --yes is needed.

  <session>         the session's name, or the ID of a conversation that it has or had
  --ledger WHERE    the session's ledger: ${LEDGER_FORM_HELP}
                    ${LEDGER_VARIABLE_HELP}
  --scope NAME      the scope under which the app keeps the session there, if it uses scopedLedger()
  --remote          also delete its responses and its conversation, with OPENAI_API_KEY
  --yes             do not ask
  --base-url URL    another server than the API's own (also: OPENAI_BASE_URL)

Prints one line for each removed thing. After an interruption, type the same again: it removes the rest.

Exit codes: 0 removed, 1 there was nothing to remove or it was not confirmed, 64 wrong arguments, 70 another failure,
130 stopped by Ctrl-C.

Examples:
  agents-hybrid-session erase conv_123 --ledger sqlite:sessions.db
  agents-hybrid-session erase user-42 --ledger redis:redis://localhost:6379 --yes
  OPENAI_API_KEY=sk-... agents-hybrid-session erase conv_123 --ledger sqlite:sessions.db --remote --yes
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
    const typed = `agents-hybrid-session erase ${operand} --ledger ${values.ledger === undefined ? 'WHERE' : '...'}${values.scope === undefined ? '' : ' --scope ...'}${remote ? ' --remote' : ''}`;
    if (values.yes !== true && !io.terminal.input)
      throw new UsageError('Standard input is not a terminal, so --yes is needed', `${typed} --yes`);
    return withShutdownSignal(
      io,
      () => typed,
      (signal) =>
        withLedger(io, values, { command: 'erase', operand, readOnly: false, signal }, async (opened) => {
          // A missing key fails before the question.
          if (remote) opened.client();
          const { store } = opened.ledger;
          const sessionId = await findSession(store, operand).catch(() => operand);
          const found = await look(opened, sessionId);
          if (found === 'nothing' && !remote) {
            io.err(
              `The ledger at ${opened.ledger.name} knows no session '${escapeControls(operand)}': nothing was removed.\n`,
            );
            return 1;
          }
          if (values.yes !== true && !(await confirmed(io, operand, describe(found, remote), signal))) {
            io.err('Not confirmed: nothing was removed.\n');
            return 1;
          }
          signal.throwIfAborted();
          const erased = await remove(opened, sessionId, remote, found);
          tell(io, erased, found);
          return found === 'nothing' && erased.conversations.length === 0 ? 1 : 0;
        }),
    );
  },
};

/** The session's ledger; `unreadable` when its records cannot be read, but can be removed. */
type Found = LedgerInspection | 'unreadable' | 'nothing';

async function look({ ledger }: OpenedSessionLedger, sessionId: string): Promise<Found> {
  try {
    return (await inspectLedger(ledger.store, sessionId)) ?? 'nothing';
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code === 'ledger_unreadable') return 'unreadable';
    throw error;
  }
}

function describe(found: Found, remote: boolean): string {
  const rest = remote ? ', its responses and its conversation' : '';
  if (typeof found === 'string') return `the session${rest}`;
  const responses = found.turns.flatMap((turn) => turn.responses).length;
  return `${found.length} item(s) and ${responses} response ID(s) in the ledger${rest}`;
}

async function confirmed(
  io: CliIo,
  sessionId: string,
  target: string,
  signal: AbortSignal,
): Promise<boolean> {
  io.err(`This removes ${target}, for good.\nType the session's ID to confirm: `);
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
      `agents-hybrid-session erase ${sessionId} --ledger ... (without --remote)`,
    );
  }
  if (remote) {
    const options = { client: client(), onIncomplete: 'warn', ledger: ledger.store } as const;
    // A conversation that the ledger does not know has its ID for a name.
    const names = found === 'nothing' ? { conversationId: sessionId } : { sessionId };
    return new HybridSession({ ...options, ...names }).erase({ remote });
  }
  if (isReadable) return new HybridSession({ mirror: 'off', sessionId, ledger: ledger.store }).erase();
  // A session would read it first, which fails.
  await ledger.store.delete(sessionId);
  return {
    sessionId,
    items: typeof found === 'string' ? 0 : found.length,
    responses: [],
    conversations: [],
  };
}

function tell(
  io: CliIo,
  { sessionId, items, responses, skipped = [], conversations }: Erased,
  found: Found,
): void {
  const lines = [
    ...(found === 'nothing' ? [] : [`ledger ${sessionId}${found === 'unreadable' ? '' : ` ${items} items`}`]),
    ...responses.map((id) => `response ${id}`),
    ...skipped.map((id) => `skipped ${id}`),
    ...conversations.map((id) => `conversation ${id}`),
  ];
  for (const line of lines) report(io, `${escapeControls(line)}\n`);
}

/** The first line of standard input, without its line break; undefined when the input is empty. */
export async function firstLine(
  { input }: Pick<CliIo, 'input'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  let text = '';
  for await (const piece of input(signal)) {
    text += piece;
    const at = text.indexOf('\n');
    if (at !== -1) return text.slice(0, at).replace(/\r$/, '');
  }
  return text === '' ? undefined : text;
}
