// The results as Markdown: the short form for docs/benchmarks.md, the long one for docs/bench/. Pure.
import { between, kilobytes, number, ratio, table } from './numbers.mjs';

/** In the short form: the contestants in the plot, and the one that each is compared with. */
const SHOWN = [
  'stock',
  'memory',
  'rebuild',
  'chain-background',
  'anchored-background',
  'anchored-off',
  'hand',
];

/** The text between the marks in docs/benchmarks.md. */
export function shortReport(results) {
  const { turns, machine, settings } = results;
  const last = settings.points.at(-1);
  const hand = at(
    turns.find(({ name }) => name === 'hand'),
    last,
  );
  const rows = SHOWN.flatMap((name) => turns.find((one) => one.name === name) ?? []).map((one) => {
    const end = at(one, last);
    return [
      one.label,
      `${end.requests} / ${end.requestsWritten}`,
      kilobytes(end.up),
      kilobytes(end.down),
      number(at(one, 10).wall.median),
      number(end.wall.median),
      number(end.cpu.median),
      ratio(end.wall.median / hand.wall.median),
      ratio(end.cpu.median / hand.cpu.median),
    ];
  });
  return [
    table(
      [
        `turn ${number(last)} with`,
        'requests',
        'kB sent',
        'kB received',
        'ms at turn 10',
        'ms',
        'CPU ms',
        'time ÷ by hand',
        'CPU ÷ by hand',
      ],
      rows,
    ),
    '',
    `![Time until the answer and bytes against the turn's number](bench/turns.svg)`,
    '',
    `Requests until the answer and in all; everything else until the answer. Medians of ${runs(settings)}, ` +
      `${settings.latency} ms a request, ${machine.node} on ${machine.cores} × ${machine.cpu}.`,
  ].join('\n');
}

function at(contestant, point) {
  return contestant.points.find((one) => one.point === point);
}

function runs({ rounds }) {
  return rounds === 1 ? '1 run' : `${rounds} runs`;
}

/** Everything. */
export function fullReport(results) {
  const sections = [
    figures,
    turnsAt,
    comparisons,
    peakMemory,
    coldStarts,
    firstTurns,
    appends,
    ledgerWrites,
    liveSessions,
    throughput,
    digests,
  ];
  const { machine, settings, made } = results;
  return [
    '# Results',
    '',
    `Written by \`npm run bench -- --write\` on ${made}: ${machine.node}, ${machine.cores} × ${machine.cpu}, ` +
      `load average ${number(machine.load)} at the start; ${runs(settings)}, ${settings.latency} ms a request. How to read them: [benchmarks](../benchmarks.md).`,
    '',
    ...sections.flatMap((section) => {
      const text = section(results);
      return text === undefined ? [] : [text, ''];
    }),
  ].join('\n');
}

/** The figures to reach. */
function figures({ figures: all }) {
  const rows = all.map(({ what, limit, least, measured, range, reached }) => [
    what,
    `${least ? 'at least' : 'at most'} ${limit}`,
    range === undefined ? ratio(measured) : `${ratio(measured)} (${range.map(ratio).join('–')})`,
    reached ? 'reached' : '**not reached**',
  ]);
  const head = ['figure', 'wanted', 'measured', ''];
  return `## Figures\n\n${table(head, rows)}`;
}

function turnsAt({ turns, settings }) {
  const points = [1, 10, 100, 1000].filter((point) => settings.points.includes(point));
  const parts = points.map((point) => {
    const rows = turns.map((one) => {
      const end = at(one, point);
      return [
        one.label,
        `${end.requests} / ${end.requestsWritten}`,
        `${kilobytes(end.up)} / ${kilobytes(end.upWritten)}`,
        `${kilobytes(end.down)} / ${kilobytes(end.downWritten)}`,
        between(end.wall),
        number(end.wallWritten.median),
        between(end.cpu),
        number(end.cpuWritten.median),
      ];
    });
    const head = [
      `turn ${number(point)}`,
      'requests',
      'kB sent',
      'kB received',
      'ms until the answer',
      'until written',
      'CPU ms until the answer',
      'until written',
    ];
    return table(head, rows);
  });
  return `## Turns\n\nUntil the answer / in all; in brackets the quartiles.\n\n${parts.join('\n\n')}`;
}

function cell(one) {
  return one === undefined ? '' : `${ratio(one.median)} (${ratio(one.low)}–${ratio(one.high)})`;
}

function comparisons({ comparisons: all, settings }) {
  const rows = all.map(({ label, hand, stock }) => [
    label,
    cell(hand.wall),
    cell(hand.cpu),
    cell(hand.up),
    cell(stock.wall),
    cell(stock.cpu),
    cell(stock.bytes),
  ]);
  const head = [
    `turn ${number(settings.points.at(-1))}`,
    'time ÷ by hand',
    'CPU ÷ by hand',
    'sent ÷ by hand',
    'time ÷ stock',
    'CPU ÷ stock',
    'bytes ÷ stock',
  ];
  return `## Ratios\n\nEach run compared with itself; the median of the runs and, in brackets, their quartiles.\n\n${table(head, rows)}`;
}

function peakMemory({ peakMemory: all, turns }) {
  if (all === undefined) return undefined;
  const points = all[0].points.map(({ point }) => point);
  const label = (name) => turns.find((one) => one.name === name)?.label ?? name;
  const rows = all.map((one) => [
    label(one.name),
    ...one.points.map(({ peak }) => number(peak / 1e6)),
    ...one.points.map(({ held }) => (held < 1000 ? '0' : kilobytes(held))),
  ]);
  const head = [
    'one conversation in a process',
    ...points.map((point) => `peak MB by turn ${number(point)}`),
    ...points.map((point) => `kB held at turn ${number(point)}`),
  ];
  return `## Memory\n\n${table(head, rows)}`;
}

function coldStarts({ coldStarts: all, settings }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ store, place, way, asked, answered, requestsBefore, rowsBefore }) => [
    store,
    place,
    way,
    String(requestsBefore),
    String(rowsBefore),
    between(asked),
    between(answered),
  ]);
  const head = [
    'store',
    'process',
    'way',
    'requests before',
    'rows before',
    'ms to the model request',
    'ms to the answer',
  ];
  return `## Cold start\n\nA session of ${number(settings.coldTurns)} turns is continued from its ID alone.\n\n${table(head, rows)}`;
}

function appends({ appends: all }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ store, own, driver, ratio: times }) => [
    store,
    between(own),
    between(driver),
    number(1e6 / own.median),
    ratio(times.median),
  ]);
  const head = ['store', 'µs an append', "µs the driver's insert", 'appends a second', '÷'];
  return `## Appends\n\n${table(head, rows)}`;
}

function ledgerWrites({ ledgerWrites: all }) {
  if (all === undefined) return undefined;
  const rows = all.flatMap(({ store, mirror, perTurn, calls }) => [
    [`**${store}, mirror ${mirror}**`, '', number(perTurn)],
    ...calls.map((one) => [one.call, String(one.perTurn), number(one.milliseconds.median * one.perTurn)]),
  ]);
  return `## Ledger calls of a turn\n\n${table(['call', 'a turn', 'ms a turn'], rows)}`;
}

function liveSessions({ liveSessions: all }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ kind, sessions, turns, heap, resident }) => [
    kind,
    number(sessions),
    String(turns),
    kilobytes(heap),
    kilobytes(resident),
  ]);
  const head = ['sessions', 'how many', 'turns in each', 'kB of heap for one', 'kB resident for one'];
  return `## Live sessions\n\n${table(head, rows)}`;
}

function firstTurns({ firstTurns: all }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ way, sdk, own, turn }) => [way, between(sdk), between(own), between(turn)]);
  const head = ['session', 'ms to load the SDK', 'ms more to load this package', 'ms to the first answer'];
  return `## The first turn of a new process\n\n${table(head, rows)}`;
}

function throughput({ throughput: all }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ way, sessions, perSecond, single, slow }) => [
    way,
    number(sessions),
    between(perSecond),
    between(single),
    number(slow),
  ]);
  const head = ['way', 'live', 'turns a second', 'ms a turn alone', 'ms of the slowest 1 %'];
  return `## Turns a second\n\n${table(head, rows)}`;
}

function digests({ digests: all }) {
  if (all === undefined) return undefined;
  const rows = all.map(({ kind, items, megabytes, ofHashing }) => [
    kind,
    number(items.median),
    number(megabytes),
    `${Math.round(ofHashing.median * 100)} %`,
  ]);
  const head = ['digest of', 'items a second', 'MB a second', 'of hashing its JSON'];
  return `## Digests\n\n${table(head, rows)}`;
}
