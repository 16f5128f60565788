import type {
  DiagnosedResponse,
  Diagnosis,
  ContentSource,
  Caveat,
  CaveatKind,
  Evidence,
  TimelineItem,
  Verdict,
} from '../../doctor.ts';
import { escapeTexts, escapeJson, escapeControls } from '../../util/escape-controls.ts';
import type { CliIo } from '../command.ts';

/** Options of the text. */
export interface DescribeOptions {
  readonly paint: Paint;
  /** Characters in a line. */
  readonly columns: number;
  /** The command to type next. */
  readonly next: string;
}

const VERDICTS: Readonly<Record<Verdict, readonly [Tone, string]>> = {
  whole: ['green', 'whole: the list shows every item'],
  repairable: ['yellow', 'damaged, and every known item can be restored'],
  unrecoverable: ['red', 'damaged, and something is missing that no given source holds'],
  unknown: ['yellow', 'could not tell'],
};

const EVIDENCE: Readonly<Record<Evidence, string>> = {
  ledger: 'the ledger, which knows the whole conversation',
  ledger_and_responses: 'the ledger and the responses',
  responses: 'the responses alone',
  list: 'the list alone',
};

const CAVEATS: Readonly<Record<CaveatKind, (caveat: Caveat) => string>> = {
  no_evidence: () => 'there is nothing to compare the list with: give --ledger or --response',
  before_first: () => 'losses before the oldest response are not known',
  unaccounted: ({ count, indexes }) =>
    `no response accounts for ${items(count)} (${positions(indexes)}): neighbours may be lost`,
  unanswered: ({ count, indexes }) => `${items(count)} (${positions(indexes)}) without an answer`,
  lone_reasoning: ({ count, indexes }) =>
    `${items(count)} of reasoning (${positions(indexes)}) without the output after it: it was lost`,
  response_missing: ({ count }) =>
    `${count === 1 ? 'one response' : `${count} responses`} could not be read: deleted, expired or not stored`,
  response_unknown: ({ count }) =>
    `${count === 1 ? 'one response' : `${count} responses`} could not be read, and nothing says that ${count === 1 ? 'it belongs' : 'they belong'} here`,
  unproven: ({ count }) => `the ledger took ${items(count)} from a list that may have been damaged before`,
  ledger_empty: () => 'the ledger does not know this conversation',
  list_gone: () => 'the conversation itself no longer exists',
};

const STATUSES: Readonly<Record<DiagnosedResponse['status'], string>> = {
  used: '',
  missing: 'cannot be read: deleted, expired, never stored, or of another project',
  unfinished: 'is still being made',
  failed: 'failed or was cancelled; its output was never part',
  elsewhere: 'belongs to another conversation',
  unrelated: 'shares nothing with this conversation (an agent used as a tool, or another conversation)',
  superseded: 'answers an input that has another answer here (a retry, a branch)',
  unrecorded: 'is not in the ledger, which knows the whole conversation',
};

/** A diagnosis for people: the timeline, the findings, and the verdict. */
export function describeDiagnosis(diagnosis: Diagnosis, options: DescribeOptions): string {
  const { paint, columns, next } = options;
  const { timeline: given, ...rest } = diagnosis;
  const { verdict, evidence, caveats, responses, listed, length, conversationId, askedFor } =
    escapeTexts(rest);
  // The content of an item keeps its lines.
  const timeline = given.map(({ item, ...facts }): TimelineItem => ({
    ...escapeTexts(facts),
    ...(item && { item }),
  }));
  const [tone, words] = VERDICTS[verdict];
  const shown = listed === null ? 'its list is gone' : `its list shows ${listed}`;
  const belongs = evidence === 'list' ? 'Its items are not known' : `${items(length)} belong to it`;
  const ignored = responses.filter(({ status }) => status !== 'used');
  const references = new Map<string, string>();
  const lines = describeTimeline(timeline, options, (id) => {
    const known = references.get(id) ?? `[${references.size + 1}]`;
    references.set(id, known);
    return known;
  });
  const notes = [
    ...ignored.map(({ id, status }) => `Not part of it: ${id} ${STATUSES[status]}`),
    ...caveats.map((caveat) => `Caveat: ${CAVEATS[caveat.kind](caveat)}`),
    `Known from: ${EVIDENCE[evidence]}`,
    summaryOf(diagnosis),
  ];
  return [
    paint('bold', conversationId),
    paint(tone, `Verdict: ${words}`),
    ...(askedFor === conversationId ? [] : [`The session of ${askedFor} uses this conversation now`]),
    `${belongs}, ${shown}`,
    '',
    ...lines,
    ...Array.from(references, ([id, reference]) => `${reference} ${id}`),
    ...(references.size === 0 ? [] : ['']),
    ...notes.flatMap((note) => filled(note, columns)),
    `Next: ${escapeControls(next)}`,
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
  const kindWidth = timeline.reduce((width, { kind }) => Math.min(24, Math.max(width, kind.length)), 4);
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

/** The state of an item, and its best source. */
function stateOf(item: TimelineItem, refer: Refer): readonly [Tone | undefined, string] {
  const { status, findings, positions, sources } = item;
  const others = findings.filter((type) => type !== 'lost').join(', ');
  const again = positions.length > 1 ? ` (listed at ${positions.join(', ')})` : '';
  if (status === 'lost') {
    const [source] = sources;
    if (source === undefined) return ['red', 'LOST, no source has it'];
    return ['yellow', `LOST, restorable from ${describeSource(source, refer)}`];
  }
  if (status === 'pending') return ['yellow', 'pending: in the ledger, still to be written to the list'];
  if (status === 'local') return [undefined, 'in the ledger only: the API has no form for it'];
  if (status === 'removed') return ['yellow', 'removed from the history, still in the list'];
  if (others === '') return [undefined, 'listed'];
  const onlyForeign = findings.every((type) => type === 'foreign');
  return [onlyForeign ? 'cyan' : 'yellow', `${others}${again}`];
}

function describeSource({ source, responseId = '' }: ContentSource, refer: Refer): string {
  if (source === 'ledger') return 'the ledger';
  if (source === 'list') return 'the list';
  return source === 'response' ? `response ${refer(responseId)}` : `the input of ${refer(responseId)}`;
}

function summaryOf({ timeline, lost }: Diagnosis): string {
  const count = (isSo: (item: TimelineItem) => boolean): number => timeline.filter(isSo).length;
  const nowhere = count(({ status, sources }) => status === 'lost' && sources.length === 0);
  const parts = [
    lost === null ? 'losses not known' : `${lost} lost${lost === 0 ? '' : ` (${lost - nowhere} restorable)`}`,
    ...(['duplicated', 'reordered', 'altered', 'foreign'] as const).flatMap((type) => {
      const found = count(({ findings }) => findings.includes(type));
      return found === 0 ? [] : [`${found} ${type}`];
    }),
    ...(['pending', 'removed'] as const).flatMap((status) => {
      const found = count((item) => item.status === status);
      return found === 0 ? [] : [`${found} ${status}`];
    }),
  ];
  return `Found: ${parts.join(', ')}`;
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}

/** The first few positions. */
function positions(indexes: readonly number[]): string {
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
  const piece = new RegExp(`.{1,${width}}`, 'gu');
  const lines = text.split('\n').flatMap((line) => line.match(piece) ?? ['']);
  return lines.map((line) => `      ${line}`);
}

/**
 * The output of `doctor --json`. `version` changes when a field changes its meaning or goes away.
 *
 * `item` needs `--content`.
 */
export interface DoctorReport extends Diagnosis {
  readonly version: 2;
}

/** A diagnosis as JSON. */
export function asJson(diagnosis: Diagnosis): string {
  const report: DoctorReport = { version: 2, ...diagnosis };
  return `${escapeJson(JSON.stringify(report, undefined, 2))}\n`;
}

type Item = NonNullable<TimelineItem['item']>;

/** The content of an item, for people. */
function itemText(item: Item): string {
  const fields: Readonly<Record<string, unknown>> = { ...item };
  if (fields['type'] === 'function_call')
    return plain(`${String(fields['name'])}(${String(fields['arguments'])})`);
  const content = fields['content'] ?? fields['output'] ?? fields['providerData'] ?? '';
  if (typeof content === 'string') return plain(content);
  if (!Array.isArray(content)) return plain(textOfPart(content));
  return plain(content.map((part: unknown) => textOfPart(part)).join('\n'));
}

function textOfPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  const text: unknown = Reflect.get(part, 'text') ?? Reflect.get(part, 'refusal');
  if (typeof text === 'string') return text;
  const json = JSON.stringify(part);
  return json.length > 200 ? `${json.slice(0, 200)}...` : json;
}

function plain(text: string): string {
  return escapeControls(text.replaceAll('\r\n', '\n'), { lines: true });
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** A way to mark text for people. */
export type Tone = keyof typeof CODES;

/** Marks text, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** Colours for standard output: only on a terminal, and not where NO_COLOR asks for none. */
export function paintFor({ env, terminal }: Pick<CliIo, 'env' | 'terminal'>): Paint {
  const isPlain = !terminal.out || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (tone, text) => (isPlain || text === '' ? text : `\u001B[${CODES[tone]}m${text}\u001B[0m`);
}
