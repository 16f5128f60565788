// The figures that a flat turn is held to, and whether this run has reached them. Pure.
import { CONTESTANTS } from './contestants.mjs';
import { ratiosOf } from './summary.mjs';

const OURS = 'anchored-background';

/** `limit` is the most, or with `least` the least; `turn` says at which one it was measured. */
export function figuresOf({ runs, points, ...parts }) {
  const last = points.at(-1);
  const ours = { contestant: OURS, point: last };
  const turns = (key, to, contestant = OURS) => ratiosOf(runs, { ...ours, contestant, key }, to);
  const hand = { contestant: 'hand' };
  const requests = runs.flat().filter(({ contestant, point }) => contestant === OURS && point === last);
  const most = Math.max(...requests.map((one) => one.requests));
  const figures = [
    figure('requests before the answer', 1, requests.length === 0 ? undefined : { median: most }),
    figure('bytes sent until the answer ÷ by hand', 1.05, turns('up', hand)),
    figure('time until the answer ÷ by hand', 1.1, turns('wall', hand)),
    figure('CPU until the answer ÷ by hand', 1.25, turns('cpu', hand)),
    figure('CPU with no mirror ÷ by hand', 1.25, turns('cpuWritten', hand, 'anchored-off')),
    figure(
      'CPU until all is written ÷ by hand, written by hand',
      1.25,
      turns('cpuWritten', { contestant: 'hand-written' }),
    ),
    figure('time until the answer ÷ that of turn 10', 1.1, turns('wall', { point: 10 })),
    figure('CPU until the answer ÷ that of turn 10', 1.1, turns('cpu', { point: 10 })),
    ...['rebuild-off', 'chain-off', 'chain-background'].flatMap((contestant) =>
      [
        ['time', 'wall'],
        ['CPU', 'cpu'],
      ].map(([name, key]) => {
        const ratios = [10, 100, 1000].flatMap(
          (point) => ratiosOf(runs, { contestant, point, key }, { contestant: 'memory' }) ?? [],
        );
        const most = ratios.toSorted((a, b) => b.median - a.median)[0];
        const { label } = CONTESTANTS.find((one) => one.name === contestant);
        return figure(`${name} of ${label} ÷ MemorySession, the most of turns 10, 100, 1,000`, 1.05, most);
      }),
    ),
    figure('time of the stock session ÷ ours', 40, inverse(turns('wall', { contestant: 'stock' })), true),
    figure('bytes of the stock session ÷ ours', 500, inverse(turns('bytes', { contestant: 'stock' })), true),
  ];
  figures.push(...startFigures(parts), ...processFigures(parts));
  return figures.filter(({ measured }) => measured !== undefined);
}

/** Of new processes and of new session objects. */
function startFigures({ coldStarts, firstTurns }) {
  const figures = [];
  for (const [place, text] of [
    ['new', 'in a new process'],
    ['warm', 'in a warm process'],
  ]) {
    const start = (way) =>
      coldStarts?.find((one) => one.store === 'sqlite' && one.place === place && one.way === way);
    const [own, byHand] = [start('anchored'), start('hand')];
    const ratio = own && byHand && { median: own.answered.median / byHand.answered.median };
    figures.push(figure(`cold start with SQLite ${text} ÷ by hand and one row read`, 1.2, ratio));
    const [whole, memory] = [start('chain'), start('memory')];
    const asked = whole && memory && { median: whole.asked.median / memory.asked.median };
    figures.push(
      figure(
        `cold start with SQLite ${text}, whole history, to the request ÷ MemorySession that holds it`,
        1.3,
        asked,
      ),
      figure(
        `requests before the model's in a cold start with SQLite ${text}`,
        0,
        whole && { median: whole.requestsBefore },
      ),
    );
  }
  const first = (way) => firstTurns?.find((one) => one.way === way);
  const [memory, own] = [first('memory'), first('ledger')];
  const turn = own && memory && { median: own.turn.median / memory.turn.median };
  const load = own && { median: own.own.median / own.sdk.median };
  figures.push(
    figure('first turn of a new process ÷ that of MemorySession', 1.15, turn),
    figure('loading this package ÷ loading the SDK', 0.03, load),
  );
  return figures;
}

/** Of a process with very many sessions, and of the driver. */
function processFigures({ appends, liveSessions, throughput }) {
  const append = appends?.find(({ store }) => store === 'sqlite');
  const idle = liveSessions?.find(({ kind }) => kind === 'idle');
  const of = (way) => throughput?.find((one) => one.way === way);
  const [own, hand] = [of('anchored'), of('hand')];
  return [
    figure("an append with SQLite ÷ the driver's insert", 1.3, append?.ratio),
    figure('kB of heap for an idle session', 10, idle && { median: idle.heap / 1000 }),
    figure('turns a second of one process', 2000, own?.perSecond, true),
    figure('turns a second by hand, which is the most that the SDK allows', 2000, hand?.perSecond, true),
    figure(
      'ms of the slowest 1 % of turns - the median by hand',
      5,
      own && hand && { median: own.slow - hand.single.median },
    ),
  ];
}

function figure(what, limit, measured, least = false) {
  if (measured === undefined) return { what };
  const value = Number(measured.median.toPrecision(4));
  const range = measured.low === undefined ? undefined : [measured.low, measured.high].map(short);
  return { what, limit, least, measured: value, range, reached: least ? value >= limit : value <= limit };
}

function short(value) {
  return Number(value.toPrecision(4));
}

function inverse(ratio) {
  return ratio && { median: 1 / ratio.median, low: 1 / ratio.high, high: 1 / ratio.low };
}
