import type OpenAI from 'openai';
import { apiFailure } from './api-failure.ts';
import { UsageError } from './command-error.ts';
import type { CliIo } from './command.ts';
import { LEDGER_FORMS, parseLedgerLocation } from './ledger-location.ts';
import { openClient } from './open-client.ts';
import { openLedger, type OpenedLedger } from './open-ledger.ts';
import type { Operand } from './parse-options.ts';
import { showProgress, type Progress } from './progress.ts';
import { readResponseIds } from './response-ids.ts';

/** The argument that names the conversation. */
export const CONVERSATION: Operand = { name: 'conversation', example: 'conv_...' };

/** The options that all commands on one conversation share. */
export const CONVERSATION_OPTIONS = {
  ledger: { type: 'string' },
  response: { type: 'string', multiple: true },
  'base-url': { type: 'string' },
  quiet: { type: 'boolean' },
} as const;

/** Those options, as a help text says them. */
export const CONVERSATION_HELP = `  --ledger WHERE    the session's ledger: ${LEDGER_FORMS}
  --response ID     a response of the conversation; may be repeated; - reads a list from standard input, in which
                    IDs are found in any text: logs, traces, JSON Lines
  --base-url URL    another server than the API's own (also: OPENAI_BASE_URL)
  --quiet           no progress on standard error`;

/** What was typed. */
export interface ConversationArguments {
  readonly operand: string;
  readonly values: {
    readonly ledger?: string | undefined;
    readonly response?: string[] | undefined;
    readonly 'base-url'?: string | undefined;
    readonly quiet?: boolean | undefined;
  };
}

/** What a command on one conversation works with. */
export interface OpenedConversation {
  readonly conversationId: string;
  readonly client: OpenAI;
  readonly ledger: OpenedLedger | undefined;
  /** Those that were named, each once, in order. */
  readonly responses: readonly string[];
  readonly progress: Progress;
}

/** How a command opens its conversation. */
export interface OpenConversationOptions {
  readonly command: string;
  /** Whether the command only looks: then it creates nothing. */
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens what the shared options name, and closes it after the work.
 *
 * @throws UsageError, CommandError, and what the work throws.
 */
export async function withConversation<T>(
  io: CliIo,
  { operand, values }: ConversationArguments,
  { command, readOnly, signal }: OpenConversationOptions,
  work: (opened: OpenedConversation) => Promise<T>,
): Promise<T> {
  if (/^(?:resp|msg)_/.test(operand)) {
    const hint = `hybrid-session ${command} conv_...${operand.startsWith('resp_') ? ` --response ${operand}` : ''}`;
    throw new UsageError(`'${operand}' is not the ID of a conversation`, hint);
  }
  const location = values.ledger === undefined ? undefined : parseLedgerLocation(command, values.ledger);
  const progress = showProgress(io, { quiet: values.quiet === true });
  const client = openClient(io, { command, baseUrl: values['base-url'], progress });
  const responses = await readResponseIds(command, values.response ?? [], io, signal);
  const ledger =
    location === undefined
      ? undefined
      : await openLedger(io, location, { command, client: () => client, readOnly });
  try {
    return await work({ conversationId: operand, client, ledger, responses, progress });
  } catch (error) {
    throw apiFailure(error, `hybrid-session ${command} ${operand}`) ?? error;
  } finally {
    progress.clear();
    await ledger?.close();
  }
}
