import { UsageError } from '../command.ts';
import { LEDGER_KINDS, type LedgerKindName, type LedgerLocation } from '../setup/ledger-kinds.ts';

const KIND_NAMES = Object.keys(LEDGER_KINDS) as LedgerKindName[];

/** The forms of `--ledger`, for help texts. */
export const LEDGER_FORMS: string = KIND_NAMES.map((kind) => LEDGER_KINDS[kind].form)
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

/**
 * Reads the value of `--ledger` or of its variable. A URL may stand alone or behind its kind: `redis://host` and
 * `redis:redis://host` are the same. Its parameters `prefix` and `table` are those of the store.
 *
 * @throws UsageError, which never repeats a value that may hold a password.
 */
export function parseLedgerLocation(command: string, value: string): LedgerLocation {
  const hint = `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db`;
  const at = value.indexOf(':');
  const [scheme, rest] = [value.slice(0, Math.max(0, at)), value.slice(at + 1)];
  const kind = KIND_NAMES.find((name) => LEDGER_KINDS[name].scheme.test(scheme));
  if (kind !== undefined) return LEDGER_KINDS[kind].locate(command, scheme, rest);
  throw new UsageError(`--ledger must be ${LEDGER_FORMS} ${LEDGER_VARIABLE_HELP}`, hint);
}
