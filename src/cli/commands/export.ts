import { toJsonLines, toMarkdown } from '../../index.ts';
import type { Command } from '../command.ts';
import { CONVERSATION, CONVERSATION_HELP, CONVERSATION_OPTIONS } from '../setup/conversation.ts';
import { oneOf, parseOperand } from '../input/parse-options.ts';
import { readForExport } from '../support/read-for-export.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { writeOutput } from '../output/write-output.ts';

const HELP = `Usage: agents-hybrid-session export <conversation> [options]

Writes a conversation's items, oldest first: as JSON Lines, one item of the SDK a line and nothing else, or as Markdown for
people. With a ledger, it writes the ledger's items as they were recorded; a ledger that keeps content needs no key. Without
a ledger, it writes the items of the list and the items that the given responses restore.

  --format FORMAT   jsonl or markdown (default: jsonl)
  --output FILE     a file that appears when it is complete, or - for standard output (default: -)
${CONVERSATION_HELP}

<conversation> is the conversation's ID, or the session's name where there is no conversation. \`agents-hybrid-session import\`
reads the JSON Lines back; an export of an import writes the same bytes.

Exit codes: 0 every known item was written, 1 items are missing (a message says how many), 64 wrong arguments,
70 another failure, 130 stopped by Ctrl-C.

Examples:
  agents-hybrid-session export conv_123 --ledger sqlite:sessions.db --output conv_123.jsonl
  OPENAI_API_KEY=sk-... agents-hybrid-session export conv_123 --response resp_456 --format markdown
  grep -o 'resp_[a-z0-9]*' app.log | agents-hybrid-session export conv_123 --response - | jq .role
`;

/** Writes a conversation's items. */
export const exportCommand: Command = {
  help: HELP,
  async run(args, io) {
    const options = {
      ...CONVERSATION_OPTIONS,
      format: { type: 'string' },
      output: { type: 'string' },
    } as const;
    const { values, operand } = parseOperand('export', args, options, CONVERSATION);
    const format = oneOf('export', 'format', values.format, ['jsonl', 'markdown']) ?? 'jsonl';
    const path = values.output ?? '-';
    const typed = `agents-hybrid-session export ${operand}`;
    return withShutdownSignal(
      io,
      () => typed,
      async (signal) => {
        const { items, ...read } = await readForExport(io, { operand, values }, signal);
        const { missing, unanswered, alone, digest } = read;
        const pieces = format === 'jsonl' ? toJsonLines(items) : toMarkdown(items, operand);
        await writeOutput(io, { path, hint: `${typed} --output FILE` }, pieces);
        if (missing > 0) io.err(`${missing} item(s) are known to be missing: they are not in the export.\n`);
        if (alone > 0) io.err(`${alone} item(s) of reasoning have no output after them: it was lost.\n`);
        if (unanswered > 0)
          io.err(
            `${unanswered} item(s) have no answer: the given sources cannot tell whether there was one.\n`,
          );
        if (values.quiet !== true)
          io.err(`Exported ${items.length} item(s)${digest === undefined ? '' : `, digest ${digest}`}\n`);
        return missing + alone === 0 ? 0 : 1;
      },
    );
  },
};
