import type OpenAI from 'openai';
import { isUrlSegment } from '../../util/url-segment.ts';
import { apiFailure } from './api-failure.ts';
import { UsageError, type CliIo } from '../command.ts';
import {
  LEDGER_FORM_HELP,
  LEDGER_VARIABLE_HELP,
  locateLedger,
  withGivenLedger,
} from '../input/ledger-location.ts';
import { openClient } from './open-client.ts';
import { openLedger, requireLedgerOfScope, type OpenedLedger } from './open-ledger.ts';
import type { Operand } from '../input/parse-options.ts';
import { showProgress, type ProgressLine } from '../output/progress.ts';
import { readResponseIds } from '../input/response-ids.ts';

/** The argument that names the conversation. */
export const CONVERSATION: Operand = { name: 'conversation', example: 'conv_...' };

/** The options that all commands on one conversation share. */
export const CONVERSATION_OPTIONS = {
  ledger: { type: 'string' },
  scope: { type: 'string' },
  response: { type: 'string', multiple: true },
  'base-url': { type: 'string' },
  quiet: { type: 'boolean' },
} as const;

/** Those options, for help texts. */
export const CONVERSATION_HELP = `  --ledger WHERE    the session's ledger: ${LEDGER_FORM_HELP}
                    ${LEDGER_VARIABLE_HELP}
  --scope NAME      the scope under which the app keeps the session there, if it uses scopedLedger()
  --response ID     a response of the conversation; may be repeated; - reads a list from standard input, in which
                    IDs are found in any text: logs, traces, JSON Lines
  --base-url URL    another server than the API's own (also: OPENAI_BASE_URL)
  --quiet           no progress on standard error`;

/** The arguments. */
export interface ConversationArguments {
  readonly operand: string;
  readonly values: {
    readonly ledger?: string | undefined;
    readonly scope?: string | undefined;
    readonly response?: string[] | undefined;
    readonly 'base-url'?: string | undefined;
    readonly quiet?: boolean | undefined;
  };
}

/** The opened parts of a command on one conversation. */
export interface OpenedConversation {
  readonly conversationId: string;
  readonly client: OpenAI;
  readonly ledger: OpenedLedger | undefined;
  /** The given response IDs, each once, in order. */
  readonly responses: readonly string[];
  readonly progress: ProgressLine;
}

/** Options of `withConversation()`. */
export interface OpenConversationOptions {
  readonly command: string;
  /** Whether the command only reads: then it creates nothing. */
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens the parts that the shared options name, and closes them after the work.
 *
 * @throws UsageError, CommandError, and errors of the work.
 */
export async function withConversation<T>(
  io: CliIo,
  { operand, values: typed }: ConversationArguments,
  { command, readOnly, signal }: OpenConversationOptions,
  work: (opened: OpenedConversation) => Promise<T>,
): Promise<T> {
  if (/^(?:resp|msg)_/.test(operand) || !isUrlSegment(operand)) {
    const hint = `agents-hybrid-session ${command} conv_...${operand.startsWith('resp_') ? ` --response ${operand}` : ''}`;
    throw new UsageError(`'${operand}' is not the ID of a conversation`, hint);
  }
  const values = withGivenLedger(typed, io.env);
  requireLedgerOfScope(command, values);
  // A wrong value is told before anything is read.
  if (values.ledger !== undefined) locateLedger({ ...io, readOnly }, command, values.ledger);
  const progress = showProgress(io, { quiet: values.quiet === true });
  const client = openClient(io, { command, baseUrl: values['base-url'], progress, signal });
  const responses = await readResponseIds(command, values.response ?? [], io, signal);
  const ledger =
    values.ledger === undefined
      ? undefined
      : await openLedger(io, values.ledger, { command, readOnly, scope: values.scope });
  try {
    return await work({ conversationId: operand, client, ledger, responses, progress });
  } catch (error) {
    throw apiFailure(error, `agents-hybrid-session ${command} ${operand}`) ?? error;
  } finally {
    progress.clear();
    await ledger?.close();
  }
}
