import { InvalidOptionsError, LEDGER_FORMS, ledgerFrom, type LocatedLedger } from '../../index.ts';
import { UsageError, type CliIo } from '../command.ts';

/** The forms of `--ledger`, for help texts. */
export const LEDGER_FORM_HELP: string = LEDGER_FORMS.map(({ form }) => form)
  .join(', ')
  .replace(/, (?=[^,]*$)/, ' or ');

/** Replaces `--ledger`: a password in it is in no list of processes. */
const LEDGER_VARIABLE = 'HYBRID_SESSION_LEDGER';

/** The variable, for help texts. */
export const LEDGER_VARIABLE_HELP = `(also: ${LEDGER_VARIABLE})`;

/** The options, with the ledger of the environment if none was typed. */
export function withGivenLedger<T extends { readonly ledger?: string | undefined }>(
  values: T,
  env: Readonly<Record<string, string | undefined>>,
): T {
  const variable = env[LEDGER_VARIABLE] ?? '';
  return values.ledger === undefined && variable !== '' ? { ...values, ledger: variable } : values;
}

/** The example for a value of `--ledger`: that of its kind. */
export function ledgerExample(value: string): string {
  const [kind = ''] = value.split(':');
  const known = LEDGER_FORMS.find(({ form }) => kind !== '' && kind.startsWith(form.split(':')[0] ?? ''));
  return known?.example ?? 'sqlite:sessions.db';
}

/**
 * The ledger of `--ledger` or its variable; it is opened at first use.
 *
 * @param io.readOnly whether neither a file nor a table is created.
 * @throws UsageError, which never repeats a value that may hold a password.
 */
export function locateLedger(
  { load, readOnly }: Pick<CliIo, 'load'> & { readonly readOnly: boolean },
  command: string,
  value: string,
): LocatedLedger {
  try {
    return ledgerFrom(value, { load, readOnly });
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    const problem = `--ledger ${error.problem}${error.problem.startsWith('must') ? ` ${LEDGER_VARIABLE_HELP}` : ''}`;
    throw new UsageError(problem, `agents-hybrid-session ${command} ... --ledger ${ledgerExample(value)}`);
  }
}
