import { inspectLedger } from '../../doctor.ts';
import { CommandError, type Command } from '../command.ts';
import { describeInspection, inspectionJson } from '../output/inspect-text.ts';
import { report } from '../output/redact.ts';
import { LEDGER_OPTIONS, SESSION, withLedger } from '../setup/ledger.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP } from '../input/ledger-location.ts';
import { parseOperand } from '../input/parse-options.ts';

const HELP = `Usage: agents-hybrid-session inspect <session> --ledger WHERE [options]

Shows a session's ledger: turns, items, responses and their parents, models, times, digests, pending writes to the
conversation, the lease, and damaged records. It reads only the ledger, writes nothing and needs no key.

  <session>         the session's name, or the ID of a conversation that it has or had
  --ledger WHERE    the session's ledger: ${LEDGER_FORM_HELP}
                    ${LEDGER_VARIABLE_HELP}
  --scope NAME      the scope under which the app keeps the session there, if it uses scopedLedger()
  --json            one JSON document instead of text
  --content         also show the content; without it no content is shown

Exit codes: 0 the records can be read and agree with the checkpoint, 1 some are damaged or they do not agree, 64 wrong
arguments, 70 another failure, such as a session that the ledger does not know.

Examples:
  agents-hybrid-session inspect conv_123 --ledger sqlite:sessions.db
  agents-hybrid-session inspect user-42 --ledger postgres:postgres://localhost/app --json | jq '.turns[].responses[].id'
  agents-hybrid-session inspect conv_123 --ledger redis:redis://localhost:6379 --content
`;

/** Shows a session's ledger. */
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
          report(io, piece);
      return inspection.damaged.length === 0 && inspection.consistent ? 0 : 1;
    });
  },
};

/** The error for a session that the ledger does not know. */
export function unknownSession(command: string, sessionId: string, ledger: string): CommandError {
  return new CommandError(
    'session_not_found',
    `The ledger at ${ledger} knows no session '${sessionId}'`,
    `agents-hybrid-session ${command} ${sessionId} --ledger ... with the ledger that the session was opened with`,
  );
}
