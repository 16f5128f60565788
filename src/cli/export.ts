import { toJsonLines, toMarkdown } from '../index.ts';
import type { Command } from './command.ts';
import { CONVERSATION, CONVERSATION_HELP, CONVERSATION_OPTIONS } from './conversation-command.ts';
import { oneOf, parseOperand } from './parse-options.ts';
import { readForExport } from './read-for-export.ts';
import { untilStopped } from './until-stopped.ts';
import { writeOutput } from './write-output.ts';

const HELP = `Usage: hybrid-session export <conversation> [options]

Writes a conversation's items, oldest first: as JSON Lines, one item of the SDK a line and nothing else, or as Markdown for
people. With a ledger, the items are what the ledger says, as they were when they came; a ledger that keeps content is all
that is needed, no key. Without one, they are the list's, and what the given responses restore.

  --format FORMAT   jsonl or markdown (default: jsonl)
  --output FILE     where to: a file that appears when it is complete, or - for standard output (default: -)
${CONVERSATION_HELP}

<conversation> is the conversation's ID, or the session's name where there is no conversation. \`hybrid-session import\`
reads the JSON Lines back; of an import, an export makes the same bytes again.

Exit codes: 0 everything that is known was written, 1 something is known to be missing (the words say how much), 64 wrong
arguments, 70 something failed on the way, 130 stopped by Ctrl-C.

Examples:
  hybrid-session export conv_123 --ledger sqlite:sessions.db --output conv_123.jsonl
  OPENAI_API_KEY=sk-... hybrid-session export conv_123 --response resp_456 --format markdown
  grep -o 'resp_[a-z0-9]*' app.log | hybrid-session export conv_123 --response - | jq .role
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
    const typed = `hybrid-session export ${operand}`;
    return untilStopped(
      io,
      () => typed,
      async (signal) => {
        const { items, missing, digest } = await readForExport(io, { operand, values }, signal);
        const pieces = format === 'jsonl' ? toJsonLines(items) : toMarkdown(items, operand);
        await writeOutput(io, { path, hint: `${typed} --output FILE` }, pieces);
        if (missing > 0) io.err(`${missing} item(s) are known to be missing: they are not in the export.\n`);
        if (values.quiet !== true)
          io.err(`Exported ${items.length} item(s)${digest === undefined ? '' : `, digest ${digest}`}\n`);
        return missing === 0 ? 0 : 1;
      },
    );
  },
};
