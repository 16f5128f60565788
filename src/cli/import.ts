import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { HybridSession, importItems, memoryLedger, type LedgerStore } from '../index.ts';
import { apiFailure } from './api-failure.ts';
import { CommandError } from './command-error.ts';
import type { CliIo, Command } from './command.ts';
import { importIntoConversation, type ConversationImported } from './import-into-conversation.ts';
import { parseImport, type ImportArguments } from './import-arguments.ts';
import { withLedger } from './ledger-command.ts';
import { LEDGER_FORMS } from './ledger-location.ts';
import { openClient } from './open-client.ts';
import { printable } from './printable.ts';
import { showProgress, type Progress } from './progress.ts';
import { readItems } from './read-items.ts';
import { untilStopped } from './until-stopped.ts';
import { watchedFetch } from './watched-fetch.ts';

const HELP = `Usage: hybrid-session import <file> [options]

Writes the items of a JSON Lines file, one item of the SDK a line as \`hybrid-session export\` writes them, into a new
conversation, or into a session of a ledger. The whole file is checked first: a line that is wrong is named, and nothing
is imported. Into a ledger everything goes in one append. The same file is imported once, however often it is asked for:
after it was cut short, ask again.

  <file>             a JSON Lines file; - reads standard input
  --ledger WHERE     the ledger to write to: ${LEDGER_FORMS}
  --session NAME     a session of that ledger without a conversation; needs no key
  --conversation ID  a conversation that is there: an empty one, or one that holds a beginning of the file
  --append           add to what the session has already; a conversation needs --ledger for that
  --base-url URL     another server than the API's own (also: OPENAI_BASE_URL)
  --quiet            no progress on standard error

Prints the ID of the session or the conversation.

Exit codes: 0 imported, 1 the conversation does not show everything (the words say why), 64 wrong arguments, 70 something
failed on the way, 130 stopped by Ctrl-C; the words then say how to go on.

Examples:
  hybrid-session import history.jsonl --ledger sqlite:sessions.db --session user-42
  OPENAI_API_KEY=sk-... hybrid-session import history.jsonl --ledger sqlite:sessions.db
  hybrid-session export conv_123 | hybrid-session import -
`;

/** Writes a file's items into a ledger or a conversation. */
export const importCommand: Command = {
  help: HELP,
  async run(args, io) {
    const typed = parseImport(args);
    let target = typed.target;
    const howToGoOn = (): string =>
      `hybrid-session import ${typed.path}${target === '' ? '' : ` ${target}`} (nothing is written twice)`;
    return untilStopped(io, howToGoOn, async (signal) => {
      const progress = showProgress(io, { quiet: typed.values.quiet === true });
      const items = await readItems(io, { path: typed.path, signal, progress });
      progress.clear();
      const context: ImportContext = {
        io,
        typed,
        items,
        signal,
        onConversation(id) {
          target = `--conversation ${id}${typed.values.ledger === undefined ? '' : ' --ledger ...'}`;
          if (typed.values.quiet !== true) io.err(`New conversation ${printable(id)}\n`);
        },
      };
      return typed.kind === 'session' ? intoSession(context) : intoConversation(context);
    });
  },
};

interface ImportContext {
  readonly io: CliIo;
  readonly typed: ImportArguments;
  readonly items: readonly AgentInputItem[];
  readonly signal: AbortSignal;
  readonly onConversation: (id: string) => void;
}

function intoSession({ io, typed, items }: ImportContext): Promise<number> {
  const { values, path } = typed;
  const sessionId = values.session ?? '';
  return withLedger(
    io,
    values,
    { command: 'import', operand: path, readOnly: false },
    async ({ ledger: { store: ledger } }) => {
      const imported = await refusedAsCommand(typed, () =>
        importItems({ ledger, sessionId, items, append: values.append === true }),
      );
      report(io, typed, { ...imported, skipped: [], unseen: 0 });
      return 0;
    },
  );
}

async function intoConversation(context: ImportContext): Promise<number> {
  const { io, typed, items, signal, onConversation } = context;
  const { values, path } = typed;
  let progress: Progress | undefined;
  let written = 0;
  const fetch = watchedFetch({
    signal,
    onWritten(count) {
      written += count;
      progress?.update(`Wrote ${written} of ${items.length} items`);
    },
  });
  const work = async (client: OpenAI, store: LedgerStore): Promise<ConversationImported> =>
    refusedAsCommand(typed, () =>
      importIntoConversation({
        client,
        store,
        conversationId: values.conversation,
        items,
        append: values.append === true,
        signal,
        onConversation,
      }),
    );
  let imported: ConversationImported;
  if (values.ledger === undefined) {
    progress = showProgress(io, { quiet: values.quiet === true });
    const client = openClient(io, { command: 'import', baseUrl: values['base-url'], progress, fetch });
    try {
      imported = await work(client, memoryLedger());
    } catch (error) {
      throw apiFailure(error, `hybrid-session import ${path}`) ?? error;
    } finally {
      progress.clear();
    }
  } else {
    const options = { command: 'import', operand: path, readOnly: false, fetch };
    imported = await withLedger(io, values, options, async (opened) => {
      ({ progress } = opened);
      const client = opened.client();
      if (typed.kind === 'conversation') return work(client, opened.ledger.store);
      // A ledger that keeps no content takes over what the conversation then holds.
      const done = await work(client, memoryLedger());
      const { sessionId: conversationId } = done;
      await new HybridSession({ client, conversationId, ledger: opened.ledger.store }).getItems();
      return done;
    });
  }
  report(io, typed, imported);
  const isLost = imported.skipped.length > 0 && typed.kind !== 'conversation';
  return isLost || imported.unseen > 0 ? 1 : 0;
}

async function refusedAsCommand<T>({ path, target }: ImportArguments, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (!(error instanceof Error) || code !== 'import_refused') throw error;
    const hint = `hybrid-session import ${path} ${target} --append`;
    throw new CommandError(code, error.message, hint, { cause: error });
  }
}

function report(io: CliIo, { values }: ImportArguments, imported: ConversationImported): void {
  const { sessionId, already, length, digest, skipped, unseen } = imported;
  io.out(`${sessionId}\n`);
  for (const reason of skipped)
    io.err(`Not in the conversation, which cannot hold it: ${printable(reason)}\n`);
  if (unseen > 0) io.err(`The conversation's list does not show ${unseen} item(s) that were written.\n`);
  if (values.quiet === true) return;
  const what = already ? 'Imported before: nothing was added.' : `Imported ${imported.imported} item(s).`;
  io.err(`${what} The session has ${length}, digest ${digest}\n`);
}
