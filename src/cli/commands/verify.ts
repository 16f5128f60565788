import { verifyAll } from '../../doctor.ts';
import type { HistoryReport } from '../../index.ts';
import { UsageError, type Command } from '../command.ts';
import { parseOptionsAndOperand } from '../input/parse-options.ts';
import { MANY_HELP, MANY_OPTIONS, requireLedger, withMany } from '../setup/many.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { FAILED, runMany, type ManyLine } from '../support/run-many.ts';

const HELP = `Usage: agents-hybrid-session verify <session> --ledger WHERE [options]
       agents-hybrid-session verify --all --ledger WHERE [options]

Compares the list of each session with its ledger, reads every item back, and shows whether the history is proven complete by
digest. The same as session.verify(). The command only reads.

  <session>         the session's name, or the ID of a conversation that it has or had
${MANY_HELP}

The key is read from OPENAI_API_KEY. The command waits out rate limits.

Exit codes: 0 every history is proven, 1 one is not, 64 wrong arguments, 70 another failure, 130 stopped.

Examples:
  agents-hybrid-session verify user-42 --ledger sqlite:sessions.db
  agents-hybrid-session verify --all --ledger postgres://localhost/app --json | jq 'select(.verdict != "verified")'
`;

/** Proves the histories of sessions. */
export const verify: Command = {
  help: HELP,
  run(args, io) {
    const { values, operand } = parseOptionsAndOperand('verify', args, MANY_OPTIONS);
    const typed = 'agents-hybrid-session verify user-42 --ledger sqlite:sessions.db';
    if (operand === undefined && values.all !== true && values.stdin !== true)
      throw new UsageError('No session was given', `${typed} (or --all)`);
    if (operand !== undefined && (values.all === true || values.stdin === true))
      throw new UsageError(`Unexpected argument '${operand}'`, typed);
    return withShutdownSignal(
      io,
      () => 'the same command (nothing was changed)',
      (signal) =>
        withMany(
          io,
          { ...values, operand },
          { command: 'verify', readOnly: true, signal },
          async (opened) => {
            const { client, ids, concurrency } = opened;
            const ledger = requireLedger('verify', opened);
            const results = verifyAll({ client, ledger, ids, concurrency, signal });
            const run = { command: 'verify', verb: 'Verified', results, describe: lineOf };
            const counts = await runMany(io, values, opened, run);
            return counts.has(FAILED) || counts.has('unproven') ? 1 : 0;
          },
        ),
    );
  },
};

function lineOf({ report }: { readonly report: HistoryReport }): ManyLine {
  const {
    conversationId = null,
    verified,
    length,
    listed = null,
    unproven,
    findings,
    missing,
    pending,
  } = report;
  const lost = findings.filter(({ type }) => type === 'lost').length;
  const facts = { conversationId, length, listed, lost, unproven, missing: missing.length, pending };
  const notes = [
    `${length} items`,
    ...(lost > 0 ? [`${lost} not in the list`] : []),
    ...(unproven > 0 ? [`${unproven} unproven`] : []),
    ...(missing.length > 0 ? [`${missing.length} without a source`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  const isFine = verified && lost === 0 && pending === 0;
  const verdict = verified ? 'verified' : 'unproven';
  return { verdict, tone: verified ? 'green' : 'red', isFine, text: notes.join(', '), facts };
}
