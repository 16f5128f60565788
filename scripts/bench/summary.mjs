// From the measurements of the parts to the published figures: medians, quartiles, ratios. Pure.
import { median, quantile, rounded, spread } from './statistics.mjs';

/** The figures of a turn; a measurement has quartiles, and a count has none. */
const MEASURED = ['wall', 'wallWritten', 'cpu', 'cpuWritten', 'serverCpu'];
const COUNTED = [
  'requests',
  'requestsWritten',
  'up',
  'upWritten',
  'down',
  'downWritten',
  'wireUp',
  'wireDown',
];

/** Of the runs of the turns: by contestant and point, over all runs. */
export function summariseTurns(runs, contestants) {
  const samples = runs.flat();
  return contestants
    .filter(({ name }) => samples.some(({ contestant }) => contestant === name))
    .map(({ name, label }) => {
      const own = samples.filter(({ contestant }) => contestant === name);
      const points = [...new Set(own.map(({ point }) => point))].toSorted((a, b) => a - b);
      return {
        name,
        label,
        points: points.map((point) => {
          const at = own.filter((sample) => sample.point === point);
          const measured = MEASURED.map((key) => [key, spread(at.map((sample) => sample[key]))]);
          const counted = COUNTED.map((key) => [key, median(at.map((sample) => sample[key]))]);
          return { point, ...Object.fromEntries([...measured, ...counted]) };
        }),
      };
    });
}

/** How many times as much a contestant takes as another: the median over the runs, each compared with itself. */
export function ratiosOf(runs, { contestant, point, key }, to) {
  const ratios = runs
    .map((run) => valueOf(run, { contestant, point, key }) / valueOf(run, { contestant, point, key, ...to }))
    .filter((ratio) => !Number.isNaN(ratio));
  return ratios.length === 0 ? undefined : spread(ratios);
}

function valueOf(run, { contestant, point, key }) {
  const at = run.filter((one) => one.contestant === contestant && one.point === point);
  return at.length === 0 ? Number.NaN : median(at.map((one) => keyOf(one, key)));
}

function keyOf(sample, key) {
  return key === 'bytes' ? sample.up + sample.down : sample[key];
}

/** Of the cold starts: by store, place and way. */
export function summariseColdStarts(starts) {
  return grouped(starts, ({ store, place, way }) => `${store} ${place} ${way}`).map((group) => {
    const [{ store, place, way }] = group;
    const of = (key) => spread(group.map((one) => one[key]));
    return {
      store,
      place,
      way,
      asked: of('asked'),
      answered: of('answered'),
      requestsBefore: median(group.map((one) => one.requestsBefore)),
      rowsBefore: median(group.map((one) => one.rowsBefore)),
      ...(group[0].loaded === undefined ? {} : { loaded: of('loaded') }),
    };
  });
}

/** Of the first turns of new processes: by way. */
export function summariseFirstTurns(measured) {
  return grouped(measured, ({ way }) => way).map((group) => {
    const of = (key) => spread(group.map((one) => one[key]));
    return { way: group[0].way, sdk: of('sdk'), own: of('own'), turn: of('turn') };
  });
}

/** Of the turns of very many sessions: by way, turns a second, and milliseconds of single turns. */
export function summariseThroughput(measured) {
  return measured.map(({ way, sessions, perSecond, single }) => ({
    way,
    sessions,
    perSecond: spread(perSecond),
    single: spread(single),
    slow: rounded(
      quantile(
        single.toSorted((a, b) => a - b),
        0.99,
      ),
    ),
  }));
}

/** Of the appends: microseconds of one, and how many times the driver's insert. */
export function summariseAppends(appends) {
  return appends.map(({ store, bytes, own, driver }) => ({
    store,
    bytes,
    own: spread(own.map((milliseconds) => milliseconds * 1000)),
    driver: spread(driver.map((milliseconds) => milliseconds * 1000)),
    ratio: spread(own.map((milliseconds, index) => milliseconds / driver[index])),
  }));
}

/** Of the ledger's work in a turn: by store and mirror, every call that a turn makes, in order of its kind. */
export function summariseLedgerWrites(measured) {
  return measured.map(({ store, mirror, turns }) => {
    const calls = turns.flatMap((turn) => turn.map((one) => ({ name: nameOf(one), ...one })));
    return {
      store,
      mirror,
      perTurn: rounded(calls.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / turns.length),
      calls: grouped(calls, ({ name }) => name).map((group) => ({
        call: group[0].name,
        perTurn: rounded(group.length / turns.length),
        milliseconds: spread(group.map(({ milliseconds }) => milliseconds)),
      })),
    };
  });
}

/** Of the digests: items and megabytes a second, and their share of the speed of hashing alone. */
export function summariseDigests(digests) {
  return digests.map(({ kind, bytes, own, hash }) => ({
    kind,
    items: spread(own),
    megabytes: rounded((median(own) * bytes) / 1e6),
    ofHashing: spread(own.map((rate, index) => rate / hash[index])),
  }));
}

/** Of the processes that each held one conversation. */
export function summarisePeakMemory(measured) {
  return measured.map(({ contestant, runs }) => ({
    name: contestant,
    points: runs[0].map(({ point }, index) => ({
      point,
      peak: median(runs.map((run) => run[index].peak)),
      held: median(runs.map((run) => run[index].held)),
    })),
  }));
}

function nameOf({ call, records }) {
  return call === 'append' ? `append ${records.join(' + ')}` : `${call} of ${records.length}`;
}

function grouped(values, keyOfValue) {
  const groups = new Map();
  for (const value of values) {
    const key = keyOfValue(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return [...groups.values()];
}
