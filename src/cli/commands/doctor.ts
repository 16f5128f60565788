import {
  diagnose,
  diagnosisPage,
  type Diagnosis,
  type DiagnosisProgress,
  type Verdict,
} from '../../doctor.ts';
import { UsageError, type CliIo, type Command, describeError } from '../command.ts';
import {
  CONVERSATION,
  CONVERSATION_HELP,
  CONVERSATION_OPTIONS,
  withConversation,
} from '../setup/conversation.ts';
import { asJson, describeDiagnosis, paintFor } from '../output/doctor-text.ts';
import { nextCommand, type GivenSources } from '../output/next-command.ts';
import { parseOperand } from '../input/parse-options.ts';
import { report } from '../output/redact.ts';
import { MANY_HELP } from '../setup/many.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { doctorAll } from '../support/doctor-all.ts';
import { writeOutput } from '../output/write-output.ts';

const EXIT: Readonly<Record<Verdict, number>> = { whole: 0, repairable: 1, unrecoverable: 2, unknown: 3 };

const OPTIONS = {
  ...CONVERSATION_OPTIONS,
  json: { type: 'boolean' },
  content: { type: 'boolean' },
  html: { type: 'string' },
} as const;

const HELP = `Usage: agents-hybrid-session doctor <conversation> [options]
       agents-hybrid-session doctor --all --ledger WHERE [options]

Shows one conversation: every item in order, its position in the list, whether it was lost, duplicated, reordered or
altered, and the source that can restore it. The command only reads.

With a ledger, the ledger defines the conversation. Without a ledger, the command reconstructs the conversation from the
inputs and outputs of its responses and from the list. Give all responses that you know.

${CONVERSATION_HELP}
  --content         show the content; without it neither text nor arguments are shown
  --json            one JSON document instead of text
  --html FILE       also write an HTML page: one file, no script, no network; - writes only the page, to standard output

Many conversations at once, one line for each, and a summary by verdict:

${MANY_HELP}
  --html DIR        also write a page for each conversation, and index.html with the worst first; the report is kept there

The key is read from OPENAI_API_KEY. The command waits out rate limits. Ctrl-C stops it and leaves nothing half done.

Exit codes: 0 whole, 1 damaged but repairable, 2 damaged and not fully recoverable, 3 could not tell (also when the
conversation, the ledger or a response could not be read); with many that of the worst; 64 wrong arguments, 70 another failure, 130 stopped.

Examples:
  agents-hybrid-session doctor conv_123 --ledger sqlite:sessions.db
  agents-hybrid-session doctor conv_123 --response resp_1 --response resp_2 --content
  agents-hybrid-session doctor conv_123 --ledger sqlite:sessions.db --html conv_123.html
  grep conv_123 app.log | agents-hybrid-session doctor conv_123 --response -
  agents-hybrid-session doctor conv_123 --ledger sqlite:sessions.db --json | jq '.timeline[] | select(.status == "lost")'
  agents-hybrid-session doctor conv_123 --ledger sqlite:sessions.db --quiet >/dev/null || echo damaged
  agents-hybrid-session doctor --all --ledger sqlite:sessions.db --html damage
`;

/** Shows the damage of one conversation. */
export const doctor: Command = {
  help: HELP,
  run(args, io) {
    if (args.some((argument) => argument === '--all' || argument === '--stdin')) return doctorAll(args, io);
    const given = parseOperand('doctor', args, OPTIONS, CONVERSATION);
    const { json, html } = given.values;
    if (html === '' || (html === '-' && json === true))
      throw new UsageError(
        html === ''
          ? '--html needs the name of a file'
          : '--json and --html - cannot both go to standard output',
        `agents-hybrid-session doctor ${given.operand} --html ${given.operand}.html`,
      );
    const again = `agents-hybrid-session doctor ${given.operand} ... (nothing was changed)`;
    return withShutdownSignal(
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
          io.err(describeError(error, 'agents-hybrid-session doctor'));
          return EXIT.unknown;
        }
        await show(diagnosis, given.values, io);
        return EXIT[diagnosis.verdict];
      },
    );
  },
};

interface Shown extends GivenSources {
  readonly json?: boolean | undefined;
  readonly html?: string | undefined;
  readonly content?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** Prints a diagnosis in every requested format. */
async function show(diagnosis: Diagnosis, shown: Shown, io: CliIo): Promise<void> {
  const { json, html, content, quiet } = shown;
  if (html !== undefined) {
    const hint = `agents-hybrid-session doctor ${diagnosis.conversationId} --html FILE`;
    await writeOutput(io, { path: html, hint }, diagnosisPage(diagnosis, { content }));
    if (html === '-') return;
    if (quiet !== true) io.err(`Wrote ${html}\n`);
  }
  if (json === true) io.out(asJson(diagnosis));
  else {
    const { columns } = io.terminal;
    const next = nextCommand(diagnosis, shown);
    report(io, describeDiagnosis(diagnosis, { paint: paintFor(io), columns, next }));
  }
}

function describeProgress({ stage, done, total }: DiagnosisProgress): string {
  const of = total === undefined ? '' : ` of ${total}`;
  if (stage === 'ledger') return 'Reading the ledger';
  if (stage === 'list') return `Reading the list: ${done} items`;
  return stage === 'responses' ? `Reading responses: ${done}${of}` : `Reading their inputs: ${done}${of}`;
}
