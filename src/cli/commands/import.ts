import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { importItems, memoryLedger, type LedgerStore } from '../../index.ts';
import { escapeControls } from '../../util/escape-controls.ts';
import { apiFailure } from '../setup/api-failure.ts';
import { CommandError, type CliIo, type Command } from '../command.ts';
import { importIntoConversation, type ConversationImported } from '../support/import-into-conversation.ts';
import { parseImport, type ImportArguments } from '../input/import-arguments.ts';
import { withLedger } from '../setup/ledger.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP } from '../input/ledger-location.ts';
import { openClient } from '../setup/open-client.ts';
import { showProgress, type ProgressLine } from '../output/progress.ts';
import { readItemFile } from '../input/read-item-file.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';

const HELP = `Usage: agents-hybrid-session import <file> [options]

Writes the items of a JSON Lines file, one item of the SDK a line as \`agents-hybrid-session export\` writes them, into a new
conversation, or into a session of a ledger. It checks the whole file first: it names a wrong line, and imports nothing. A
ledger gets all items in one append. Importing the same file again adds nothing: after an interruption, type the same again.

  <file>             a JSON Lines file; - reads standard input
  --ledger WHERE     the ledger to write to: ${LEDGER_FORM_HELP}
                     ${LEDGER_VARIABLE_HELP}
  --scope NAME       the scope under which the app keeps the session there, if it uses scopedLedger()
  --session NAME     a session of that ledger without a conversation; needs no key
  --conversation ID  an existing conversation: empty, or with the first items of the file
  --append           add to the items of the session; a conversation needs --ledger for that
  --base-url URL     another server than the API's own (also: OPENAI_BASE_URL)
  --quiet            no progress on standard error

Prints the ID of the session or the conversation.

Exit codes: 0 imported, 1 the conversation does not show every item (a message says why), 64 wrong arguments, 70 another
failure, 130 stopped by Ctrl-C; a message then says how to continue.

Examples:
  agents-hybrid-session import history.jsonl --ledger sqlite:sessions.db --session user-42
  OPENAI_API_KEY=sk-... agents-hybrid-session import history.jsonl --ledger sqlite:sessions.db
  agents-hybrid-session export conv_123 | agents-hybrid-session import -
`;

/** Writes a file's items into a ledger or a conversation. */
export const importCommand: Command = {
  help: HELP,
  async run(args, io) {
    const typed = parseImport(args, io);
    let target = typed.target;
    const resumeHint = (): string =>
      `agents-hybrid-session import ${typed.path}${target === '' ? '' : ` ${target}`} (nothing is written twice)`;
    return withShutdownSignal(io, resumeHint, async (signal) => {
      const progress = showProgress(io, { quiet: typed.values.quiet === true });
      const items = await readItemFile(io, { path: typed.path, signal, progress });
      progress.clear();
      const context: ImportContext = {
        io,
        typed,
        items,
        signal,
        onConversation(id) {
          target = `--conversation ${id}${typed.target.includes('--ledger') ? ' --ledger ...' : ''}${typed.values.scope === undefined ? '' : ' --scope ...'}`;
          if (typed.values.quiet !== true) io.err(`New conversation ${escapeControls(id)}\n`);
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

function intoSession({ io, typed, items, signal }: ImportContext): Promise<number> {
  const { values, path } = typed;
  const sessionId = values.session ?? '';
  return withLedger(
    io,
    values,
    { command: 'import', operand: path, readOnly: false, signal },
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
  let progress: ProgressLine | undefined;
  let written = 0;
  const fetch = watchedFetch({
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
    const client = openClient(io, {
      command: 'import',
      baseUrl: values['base-url'],
      progress,
      signal,
      fetch,
    });
    try {
      imported = await work(client, memoryLedger());
    } catch (error) {
      throw apiFailure(error, `agents-hybrid-session import ${path}`) ?? error;
    } finally {
      progress.clear();
    }
  } else {
    const options = { command: 'import', operand: path, readOnly: false, signal, fetch };
    imported = await withLedger(io, values, options, async (opened) => {
      ({ progress } = opened);
      return work(opened.client(), opened.ledger.store);
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
    const hint = `agents-hybrid-session import ${path} ${target} --append`;
    throw new CommandError(code, error.message, hint, { cause: error });
  }
}

function report(io: CliIo, { values }: ImportArguments, imported: ConversationImported): void {
  const { sessionId, already, length, digest, skipped, unseen } = imported;
  io.out(`${escapeControls(sessionId)}\n`);
  for (const reason of skipped)
    io.err(`Not in the conversation, which cannot hold it: ${escapeControls(reason)}\n`);
  if (unseen > 0) io.err(`The conversation's list does not show ${unseen} item(s) that were written.\n`);
  if (values.quiet === true) return;
  const result = already ? 'Imported before: nothing was added.' : `Imported ${imported.imported} item(s).`;
  io.err(`${result} The session has ${length}, digest ${digest}\n`);
}

/** Options of `watchedFetch()`. */
export interface WatchedFetchOptions {
  /** Reports the number of items that a request has written. */
  readonly onWritten: (items: number) => void;
}

/** A `fetch` that reports written items. */
export function watchedFetch({ onWritten }: WatchedFetchOptions): typeof fetch {
  return async (input, init) => {
    const answer = await fetch(input, init);
    if (answer.ok && init?.method?.toUpperCase() === 'POST' && typeof init.body === 'string')
      onWritten(itemsIn(init.body));
    return answer;
  };
}

function itemsIn(body: string): number {
  const parsed: unknown = JSON.parse(body);
  const items: unknown =
    typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'items') : undefined;
  return Array.isArray(items) ? items.length : 0;
}
