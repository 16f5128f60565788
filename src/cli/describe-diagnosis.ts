import type {
  DiagnosedResponse,
  Diagnosis,
  ItemPlace,
  Limit,
  LimitKind,
  Proof,
  TimelineItem,
  Verdict,
} from '../index.ts';
import { itemText } from './item-text.ts';
import type { Paint, Tone } from './paint.ts';

/** How a diagnosis is shown. */
export interface DescribeOptions {
  readonly paint: Paint;
  /** Characters in a line. */
  readonly columns: number;
}

const VERDICTS: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  whole: ['green', 'whole: the list shows what belongs there'],
  repairable: ['yellow', 'damaged, and everything that is known can be restored'],
  beyond: ['red', 'damaged beyond what is known: something is missing that is nowhere'],
  unknown: ['yellow', 'could not tell'],
};

const PROOFS: Readonly<Record<Proof, string>> = {
  ledger: 'the ledger, which knows the whole conversation',
  'ledger+responses': 'the ledger and the responses',
  responses: 'the responses alone',
  list: 'the list alone',
};

const LIMITS: Readonly<Record<LimitKind, (limit: Limit) => string>> = {
  no_evidence: () => 'there is nothing to compare the list with: give --ledger or --response',
  before_first: () => 'what was lost before the oldest response, and is in none, is not known',
  unaccounted: ({ count, indexes }) =>
    `no response accounts for ${items(count)} (${places(indexes)}): what stood beside may be lost`,
  unanswered: ({ count, indexes }) =>
    `${items(count)} (${places(indexes)}) without the answer that belongs there`,
  response_missing: ({ count }) =>
    `${count === 1 ? 'one response' : `${count} responses`} could not be read: deleted, expired or not stored`,
  unproven: ({ count }) => `the ledger took ${items(count)} from a list that may have been damaged before`,
  ledger_empty: () => 'the ledger does not know this conversation',
  list_gone: () => 'the conversation itself no longer exists',
};

const STANDINGS: Readonly<Record<DiagnosedResponse['standing'], string>> = {
  used: '',
  missing: 'cannot be read: deleted, expired, never stored, or of another project',
  unfinished: 'is still being made',
  failed: 'failed or was cancelled; its output was never part',
  elsewhere: 'belongs to another conversation',
  unrelated: 'shares nothing with this conversation (an agent used as a tool, or another conversation)',
  superseded: 'answers what was answered otherwise (a retry, a branch)',
  unrecorded: 'is not in the ledger, which knows the whole conversation',
};

/** A diagnosis for people: the timeline, what is wrong, and how it is. */
export function describeDiagnosis(diagnosis: Diagnosis, options: DescribeOptions): string {
  const { paint, columns } = options;
  const { timeline, verdict, proof, limits, responses, listed, length, conversationId } = diagnosis;
  const [tone, words] = VERDICTS[verdict];
  const shown = listed === null ? 'its list is gone' : `its list shows ${listed}`;
  const ignored = responses.filter(({ standing }) => standing !== 'used');
  const references = new Map<string, string>();
  const lines = describeTimeline(timeline, options, (id) => {
    const known = references.get(id) ?? `[${references.size + 1}]`;
    references.set(id, known);
    return known;
  });
  const notes = [
    ...ignored.map(({ id, standing }) => `Not part of it: ${id} ${STANDINGS[standing]}`),
    ...limits.map((limit) => `Limit: ${LIMITS[limit.kind](limit)}`),
    `Known from: ${PROOFS[proof]}`,
    summaryOf(timeline),
  ];
  return [
    paint('bold', conversationId),
    `${items(length)} belong to it, ${shown}`,
    '',
    ...lines,
    ...Array.from(references, ([id, reference]) => `${reference} ${id}`),
    ...(references.size === 0 ? [] : ['']),
    ...notes.flatMap((note) => filled(note, columns)),
    paint(tone, `Verdict: ${words}`),
    '',
  ].join('\n');
}

type Refer = (responseId: string) => string;

function describeTimeline(
  timeline: readonly TimelineItem[],
  { paint, columns }: DescribeOptions,
  refer: Refer,
): string[] {
  if (timeline.length === 0) return [];
  const kindWidth = Math.min(24, Math.max(4, ...timeline.map(({ kind }) => kind.length)));
  const header = `turn  item  list  ${'kind'.padEnd(kindWidth)}  state`;
  let turn = 0;
  const lines = timeline.flatMap((item) => {
    const shownTurn = item.turn === turn ? '' : String(item.turn);
    turn = item.turn;
    const position = item.positions[0] ?? null;
    const numbers = [shownTurn.padStart(4), cell(item.index), cell(position)].join('  ');
    const kind = item.kind.slice(0, kindWidth).padEnd(kindWidth);
    const [tone, state] = stateOf(item, refer);
    const text = item.item === undefined ? [] : wrapped(itemText(item.item), columns);
    const head = `${numbers}  ${kind}  ${tone === undefined ? state : paint(tone, state)}`;
    return [head, ...text.map((line) => paint('dim', line))];
  });
  return [paint('bold', header), ...lines, ''];
}

/** What is wrong with an item, and where it can be restored from. */
function stateOf(item: TimelineItem, refer: Refer): readonly [Tone | undefined, string] {
  const { standing, findings, positions, places: known } = item;
  const others = findings.filter((type) => type !== 'lost').join(', ');
  const again = positions.length > 1 ? ` (listed at ${positions.join(', ')})` : '';
  if (standing === 'lost') {
    const [place] = known;
    if (place === undefined) return ['red', 'LOST, and nowhere to be found'];
    return ['yellow', `LOST, restorable from ${describePlace(place, refer)}`];
  }
  if (standing === 'pending') return ['yellow', 'pending: in the ledger, still to be written to the list'];
  if (standing === 'local') return [undefined, 'in the ledger alone: the API has no form for it'];
  if (standing === 'removed') return ['yellow', 'taken out of the history, still in the list'];
  if (others === '') return [undefined, 'listed'];
  const onlyForeign = findings.every((type) => type === 'foreign');
  return [onlyForeign ? 'cyan' : 'yellow', `${others}${again}`];
}

function describePlace({ source, responseId = '' }: ItemPlace, refer: Refer): string {
  if (source === 'ledger') return 'the ledger';
  if (source === 'list') return 'the list';
  return source === 'response' ? `response ${refer(responseId)}` : `the input of ${refer(responseId)}`;
}

function summaryOf(timeline: readonly TimelineItem[]): string {
  const count = (isSo: (item: TimelineItem) => boolean): number => timeline.filter(isSo).length;
  const lost = count(({ standing }) => standing === 'lost');
  const nowhere = count(({ standing, places: known }) => standing === 'lost' && known.length === 0);
  const parts = [
    `${lost} lost${lost === 0 ? '' : ` (${lost - nowhere} restorable)`}`,
    ...(['duplicated', 'reordered', 'altered', 'foreign'] as const).flatMap((type) => {
      const found = count(({ findings }) => findings.includes(type));
      return found === 0 ? [] : [`${found} ${type}`];
    }),
    ...(['pending', 'removed'] as const).flatMap((standing) => {
      const found = count((item) => item.standing === standing);
      return found === 0 ? [] : [`${found} ${standing}`];
    }),
  ];
  return `Found: ${parts.join(', ')}`;
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}

/** The first few positions. */
function places(indexes: readonly number[]): string {
  const shown = indexes.slice(0, 8).map((index) => `#${index}`);
  return `${shown.join(' ')}${indexes.length > shown.length ? ' ...' : ''}`;
}

function cell(position: number | null): string {
  return String(position ?? '-').padStart(4);
}

/** In lines that fit, the later ones indented. */
function filled(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}

function wrapped(text: string, columns: number): string[] {
  const width = Math.max(20, columns - 6);
  const lines = text.split('\n').flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'gu')) ?? ['']);
  return lines.map((line) => `      ${line}`);
}
