import { UsageError, type CliIo } from '../command.ts';
import { LEDGER_OPTIONS, type LedgerArguments } from '../setup/ledger.ts';
import { locateLedger, withGivenLedger } from './ledger-location.ts';
import { requireLedgerOfScope } from '../setup/open-ledger.ts';
import { parseOperand } from './parse-options.ts';

/** The arguments of `import`. */
export interface ImportArguments {
  readonly path: string;
  /**
   * The target: a session of a ledger; a conversation with a ledger that keeps content; a conversation without a ledger.
   */
  readonly kind: 'session' | 'conversation' | 'conversation-alone';
  /** The options that name the target, for a hint; never the URL of a ledger, which may hold a password. */
  readonly target: string;
  readonly values: LedgerArguments & {
    readonly session?: string | undefined;
    readonly conversation?: string | undefined;
    readonly append?: boolean | undefined;
  };
}

/** @throws UsageError for options that do not go together. */
export function parseImport(
  args: readonly string[],
  { env, load }: Pick<CliIo, 'env' | 'load'>,
): ImportArguments {
  const { values: options, operand: path } = parseOperand(
    'import',
    args,
    {
      ...LEDGER_OPTIONS,
      session: { type: 'string' },
      conversation: { type: 'string' },
      append: { type: 'boolean' },
      quiet: { type: 'boolean' },
    },
    { name: 'file', example: 'history.jsonl --ledger sqlite:sessions.db --session NAME' },
  );
  const typed = `agents-hybrid-session import ${path}`;
  const values = withGivenLedger(options, env);
  const { ledger, scope, session, conversation, append } = values;
  requireLedgerOfScope('import', values);
  if (ledger !== undefined) locateLedger({ load, readOnly: false }, 'import', ledger);
  const inConversation = ledger === undefined;
  for (const [name, value] of Object.entries({ session, conversation })) {
    if (value === '') throw new UsageError(`--${name} must not be empty`, `${typed} --${name} ID`);
  }
  if (session !== undefined && conversation !== undefined) {
    throw new UsageError(
      '--session names a session without a conversation: it does not go with --conversation',
      `${typed} --ledger sqlite:sessions.db --conversation ${conversation}`,
    );
  }
  if (session !== undefined && inConversation) {
    throw new UsageError(
      '--session needs a ledger of its own',
      `${typed} --session ${session} --ledger sqlite:sessions.db`,
    );
  }
  if (append === true && session === undefined && (conversation === undefined || inConversation)) {
    throw new UsageError(
      '--append needs a session, or a conversation and its ledger, in which an import that is cut short is known',
      `${typed} --append --ledger sqlite:sessions.db --conversation ${conversation ?? 'conv_...'}`,
    );
  }
  return {
    path,
    kind: session !== undefined ? 'session' : inConversation ? 'conversation-alone' : 'conversation',
    target: [
      ...(options.ledger === undefined ? [] : ['--ledger ...']),
      ...(scope === undefined ? [] : ['--scope ...']),
      ...(session === undefined ? [] : [`--session ${session}`]),
      ...(conversation === undefined ? [] : [`--conversation ${conversation}`]),
    ].join(' '),
    values,
  };
}
