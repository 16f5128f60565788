import type { Diagnosis } from '../../doctor.ts';

/** The sources that were typed for a diagnosis. */
export interface GivenSources {
  readonly ledger?: string | undefined;
  readonly scope?: string | undefined;
  readonly response?: readonly string[] | undefined;
}

/** The command to type after a diagnosis. */
export function nextCommand({ verdict, evidence, askedFor: id }: Diagnosis, given: GivenSources): string {
  const program = 'agents-hybrid-session';
  const sources = `${ledgerOf(given)}${responsesOf(given)}`;
  if (verdict === 'whole') return 'nothing to do';
  if (verdict === 'repairable') return `${program} heal ${quoted(id)}${sources} --dry-run`;
  if (verdict === 'unknown' && evidence === 'list' && given.ledger === undefined)
    return `${program} doctor ${quoted(id)} --ledger sqlite:sessions.db, or --response - with a log that holds its responses`;
  return `${program} doctor ${quoted(id)}${sources} --response resp_... (with more of its responses, from logs or traces)`;
}

/** Only a path is repeated: a URL may hold a password. */
function ledgerOf({ ledger, scope }: GivenSources): string {
  if (ledger === undefined) return '';
  const where = ledger.startsWith('sqlite:') && !ledger.includes('@') ? quoted(ledger) : '...';
  return ` --ledger ${where}${scope === undefined ? '' : ` --scope ${quoted(scope)}`}`;
}

function responsesOf({ response = [] }: GivenSources): string {
  if (response.length > 3) return ' --response ...';
  return response.map((id) => ` --response ${quoted(id)}`).join('');
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
