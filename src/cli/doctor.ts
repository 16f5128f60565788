import { diagnose, type Diagnosis, type DiagnosisProgress, type Verdict } from '../index.ts';
import { UsageError } from './command-error.ts';
import type { CliIo, Command } from './command.ts';
import {
  CONVERSATION,
  CONVERSATION_HELP,
  CONVERSATION_OPTIONS,
  withConversation,
} from './conversation-command.ts';
import { describeDiagnosis } from './describe-diagnosis.ts';
import { describeError } from './describe-error.ts';
import { asJson } from './doctor-report.ts';
import { paintFor } from './paint.ts';
import { parseOperand } from './parse-options.ts';
import { untilStopped } from './until-stopped.ts';

const EXIT: Readonly<Record<Verdict, number>> = { whole: 0, repairable: 1, beyond: 2, unknown: 3 };

const OPTIONS = { ...CONVERSATION_OPTIONS, json: { type: 'boolean' }, content: { type: 'boolean' } } as const;

const HELP = `Usage: hybrid-session doctor <conversation> [options]

Shows one conversation: every item in the order in which it was said, where it stands in the list, what was lost,
duplicated, reordered or altered, from where it can be restored, and what cannot. It only reads.

With a ledger the ledger says what belongs to the conversation. Without one the responses do: what each was given and
answered is put together with the list. Give all that you know; it says what that can prove.

${CONVERSATION_HELP}
  --content         show what was said; without it neither text nor arguments are shown
  --json            one JSON document instead of text

The key is read from OPENAI_API_KEY. Rate limits are waited out. Stop with Ctrl-C: nothing is left half done.

Exit codes: 0 whole, 1 damaged but repairable, 2 damaged beyond what is known, 3 could not tell (also when the
conversation, the ledger or a response could not be read), 64 wrong arguments, 70 something else failed, 130 stopped.

Examples:
  hybrid-session doctor conv_123 --ledger sqlite:sessions.db
  hybrid-session doctor conv_123 --response resp_1 --response resp_2 --content
  grep conv_123 app.log | hybrid-session doctor conv_123 --response -
  hybrid-session doctor conv_123 --ledger conversation --json | jq '.timeline[] | select(.standing == "lost")'
  hybrid-session doctor conv_123 --ledger sqlite:sessions.db --quiet >/dev/null || echo damaged
`;

/** Shows what is wrong with one conversation. */
export const doctor: Command = {
  help: HELP,
  run(args, io) {
    const given = parseOperand('doctor', args, OPTIONS, CONVERSATION);
    const again = `hybrid-session doctor ${given.operand} ... (the same again: nothing was changed)`;
    return untilStopped(
      io,
      () => again,
      async (signal) => {
        let diagnosis: Diagnosis;
        try {
          const options = { command: 'doctor', readOnly: true, signal };
          diagnosis = await withConversation(io, given, options, ({ client, conversationId, ...opened }) =>
            diagnose({
              client,
              conversationId,
              ledger: opened.ledger?.store,
              responses: opened.responses,
              content: given.values.content === true,
              signal,
              onProgress: (progress) => opened.progress.update(describeProgress(progress)),
            }),
          );
        } catch (error) {
          if (signal.aborted || error instanceof UsageError) throw error;
          io.err(describeError(error, 'hybrid-session doctor'));
          return EXIT.unknown;
        }
        show(diagnosis, given.values, io);
        return EXIT[diagnosis.verdict];
      },
    );
  },
};

/** Every way of showing a diagnosis that was asked for. */
function show(diagnosis: Diagnosis, values: { readonly json?: boolean | undefined }, io: CliIo): void {
  const text = describeDiagnosis(diagnosis, { paint: paintFor(io), columns: io.terminal.columns });
  io.out(values.json === true ? asJson(diagnosis) : text);
}

function describeProgress({ stage, done, total }: DiagnosisProgress): string {
  const of = total === undefined ? '' : ` of ${total}`;
  if (stage === 'ledger') return 'Reading the ledger';
  if (stage === 'list') return `Reading the list: ${done} items`;
  return stage === 'responses' ? `Reading responses: ${done}${of}` : `Reading their inputs: ${done}${of}`;
}
