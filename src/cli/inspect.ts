import { inspectLedger } from '../index.ts';
import { CommandError } from './command-error.ts';
import type { Command } from './command.ts';
import { describeInspection, inspectionJson } from './inspect-report.ts';
import { LEDGER_OPTIONS, SESSION, withLedger } from './ledger-command.ts';
import { LEDGER_FORMS } from './ledger-location.ts';
import { parseOperand } from './parse-options.ts';

const HELP = `Usage: hybrid-session inspect <session> --ledger WHERE [options]

Shows what a session's ledger says: turns, items, responses and their parents, models, times, digests, what is still to
be written to the conversation, who may write there, and which records are damaged. It reads the ledger alone, writes
nothing and needs no key (but for a ledger in the conversation's metadata).

  <session>         the conversation's ID, or the session's name where there is no conversation
  --ledger WHERE    the session's ledger: ${LEDGER_FORMS}
  --json            one JSON document instead of text
  --content         also what the items say; otherwise no content is shown
  --base-url URL    another server than the API's own, with --ledger conversation (also: OPENAI_BASE_URL)

Exit codes: 0 the records can be read and agree with the head, 1 some are damaged or they do not agree, 64 wrong
arguments, 70 something failed on the way, such as a session that the ledger does not know.

Examples:
  hybrid-session inspect conv_123 --ledger sqlite:sessions.db
  hybrid-session inspect user-42 --ledger postgres:postgres://localhost/app --json | jq '.turns[].responses[].id'
  hybrid-session inspect conv_123 --ledger redis:redis://localhost:6379 --content
`;

/** Shows what a ledger says of a session. */
export const inspect: Command = {
  help: HELP,
  async run(args, io) {
    const { values, operand } = parseOperand(
      'inspect',
      args,
      { ...LEDGER_OPTIONS, json: { type: 'boolean' }, content: { type: 'boolean' } },
      SESSION,
    );
    return withLedger(io, values, { command: 'inspect', operand, readOnly: true }, async ({ ledger }) => {
      const inspection = await inspectLedger(ledger.store, operand, { content: values.content === true });
      if (inspection === undefined) throw unknownSession('inspect', operand, ledger.name);
      if (values.json === true) io.out(inspectionJson(inspection));
      else
        for (const piece of describeInspection(inspection, { ledger: ledger.name, now: Date.now() }))
          io.out(piece);
      return inspection.damaged.length === 0 && inspection.consistent ? 0 : 1;
    });
  },
};

/** The ledger has never heard of a session. */
export function unknownSession(command: string, sessionId: string, ledger: string): CommandError {
  return new CommandError(
    'session_not_found',
    `The ledger at ${ledger} knows no session '${sessionId}'`,
    `hybrid-session ${command} ${sessionId} --ledger ... with the ledger that the session was opened with`,
  );
}
