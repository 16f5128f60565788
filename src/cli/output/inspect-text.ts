import type { InspectedItem, InspectedResponse, InspectedTurn, LedgerInspection } from '../../doctor.ts';
import { escapeControls, escapeJson } from '../../util/escape-controls.ts';
import { utcTime } from '../../util/utc-time.ts';

/** The output of `--json`. The version changes when a field changes its meaning or goes away. */
export function inspectionJson(inspection: LedgerInspection): string {
  const report = { version: 1, ...inspection };
  const json = JSON.stringify(report, (_key, value: unknown) => (value === undefined ? null : value), 2);
  return `${escapeJson(json)}\n`;
}

/** An inspection for people. */
export function* describeInspection(
  inspection: LedgerInspection,
  { ledger, now }: { readonly ledger: string; readonly now: number },
): Generator<string, void, undefined> {
  for (const [name, value] of facts(inspection, ledger, now))
    yield `${name.padEnd(13)}${escapeControls(value)}\n`;
  for (const [index, turn] of inspection.turns.entries())
    yield `\n${describeTurn(turn, index + 1, inspection)}`;
}

function facts(inspection: LedgerInspection, ledger: string, now: number): [string, string][] {
  const { records, length, digest, turns, unproven, pending, lease, refused, damaged, former } = inspection;
  const items = turns.flatMap((turn) => turn.items);
  const kept = items.filter((item) => item.kept).length;
  const content =
    items.length === 0
      ? 'none'
      : kept === items.length
        ? 'kept'
        : kept === 0
          ? 'not kept'
          : `kept of ${kept}`;
  return [
    ['session', inspection.sessionId],
    ['ledger', ledger],
    ['records', String(records)],
    ['items', String(length)],
    ['digest', `${digest}${inspection.consistent ? '' : '  (the checkpoint in the store says otherwise)'}`],
    ['turns', String(turns.length)],
    ['content', content],
    ['conversation', inspection.conversation ?? 'none'],
    ...former.map((id): [string, string] => ['earlier', id]),
    ['pending', pendingWords(pending)],
    ['lease', lease === undefined ? 'free' : leaseWords(lease, now)],
    ...(unproven === 0
      ? []
      : [['unproven', `${unproven} items were adopted from a list`] as [string, string]]),
    ...refused.map((id): [string, string] => ['refused', id]),
    ...damaged.map(({ position, reason }): [string, string] => ['damaged', `record ${position}: ${reason}`]),
  ];
}

function pendingWords({ write, remove }: LedgerInspection['pending']): string {
  const words = [
    ...(write.length === 0 ? [] : [`${write.length} to be written (${numbers(write)})`]),
    ...(remove.length === 0 ? [] : [`${remove.length} to be taken out`]),
  ];
  return words.length === 0 ? 'nothing' : words.join(', ');
}

function numbers(positions: readonly number[]): string {
  const shown = positions.slice(0, 10).map((position) => `#${position}`);
  return `${shown.join(' ')}${positions.length > shown.length ? ' ...' : ''}`;
}

function leaseWords(
  { writer, until }: { readonly writer: string; readonly until: number },
  now: number,
): string {
  const left = Math.ceil((until - now) / 1000);
  return `${writer}, ${left > 0 ? `for ${left} s` : 'run out'} (${utcTime(until) ?? '-'})`;
}

function describeTurn(
  { items, responses }: InspectedTurn,
  number: number,
  { conversation }: LedgerInspection,
): string {
  const last = responses.at(-1);
  const head =
    last === undefined
      ? `turn ${number}  no response recorded`
      : `turn ${number}  ${utcTime(last.time) ?? '-'}`;
  const kinds = items.reduce((width, { kind }) => Math.max(width, kind.length), 0);
  const lines = items.flatMap((item) => [
    describeItem(item, kinds, conversation !== undefined),
    ...contentLines(item),
  ]);
  return `${[head, ...lines, ...responses.map((response) => describeResponse(response))].join('\n')}\n`;
}

function describeItem(item: InspectedItem, width: number, mirrored: boolean): string {
  const { index, kind, digest, id, mirrorId, skipped } = item;
  const ids = [id, mirrorId].filter((one, at, all) => one !== undefined && all.indexOf(one) === at);
  const place =
    skipped !== undefined
      ? `in the ledger alone: ${escapeControls(skipped)}`
      : mirrored && mirrorId === undefined
        ? 'pending'
        : '';
  const cells = [
    `#${String(index).padEnd(4)}`,
    escapeControls(kind).padEnd(width),
    escapeControls(digest ?? '-')
      .slice(0, 10)
      .padEnd(10),
    ids.map((one) => escapeControls(one ?? '')).join(' = ') || '-',
    place,
  ];
  return `  ${cells.join('  ').trimEnd()}`;
}

/** Escaped as JSON is, so that no content can act on the terminal. */
function contentLines({ item }: InspectedItem): string[] {
  return item === undefined ? [] : [`         ${escapeControls(JSON.stringify(item))}`];
}

function describeResponse({ id, model, parent, store, context, refused }: InspectedResponse): string {
  const words = [
    escapeControls(id),
    escapeControls(model ?? 'model unknown'),
    parent === undefined ? 'no parent' : `after ${escapeControls(parent)}`,
    ...(context === undefined
      ? []
      : [`context ${context.length} items ${escapeControls(context.digest).slice(0, 10)}`]),
    ...(store ? [] : ['not stored']),
    ...(refused ? ['refused'] : []),
  ];
  return `  response  ${words.join('  ')}`;
}
