import { scopedLedger } from '../../index.ts';
import { UsageError, type CliIo } from '../command.ts';
import {
  LEDGER_KINDS,
  type LedgerKindName,
  type LedgerLocation,
  type OpenedLedger,
  type OpenLedgerOptions,
} from './ledger-kinds.ts';

/**
 * Opens the ledger of `--ledger`, and loads its driver.
 *
 * @throws CommandError when the driver is not installed, the file or its tables do not exist, or no server answers; UsageError
 * for an invalid scope.
 */
export async function openLedger(
  io: Pick<CliIo, 'load'>,
  location: LedgerLocation,
  options: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const { command, scope } = options;
  if (scope === undefined) return openWhole(io, location, options);
  const typed = `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db --scope NAME`;
  if (scope.trim() === '') throw new UsageError('--scope must not be blank', typed);
  const opened = await openWhole(io, location, options);
  return { ...opened, store: scopedLedger(opened.store, scope) };
}

/** @throws UsageError for a scope without the ledger that it is part of. */
export function requireLedgerOfScope(
  command: string,
  { ledger, scope }: { readonly ledger?: string | undefined; readonly scope?: string | undefined },
): void {
  if (ledger !== undefined || scope === undefined) return;
  throw new UsageError(
    '--scope needs a ledger',
    `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db --scope NAME`,
  );
}

function openWhole<K extends LedgerKindName>(
  io: Pick<CliIo, 'load'>,
  location: LedgerLocation<K>,
  options: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const kind: LedgerKindName = location.kind;
  return LEDGER_KINDS[kind as K].open(io, location, options);
}
