// The soak: five processes make random calls to sessions on every store, are killed and frozen, their servers restart,
// and the network loses, repeats and delays requests. Then every session is compared with the answers of its calls.
// `npm run soak`, or `npm run soak -- --minutes 1 --seed 7 --stores sqlite,redis --without late`. Exits with 1 if
// anything is lost or doubled.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasMariadb, startMariadb } from './servers/mariadb-server.mjs';
import { hasProgram } from './servers/own-server.mjs';
import { postgresPrograms, startPostgres } from './servers/postgres-server.mjs';
import { startRedis } from './servers/redis-server.mjs';
import { runClock } from './soak/fast-clock.mjs';
import { ALL_FAULTS, CHAOS } from './soak/faults.mjs';
import { auditAll } from './soak/final-audit.mjs';
import { Journal } from './soak/journal.mjs';
import { runProgram, startApi } from './soak/processes.mjs';
import { between, random, sleep, weighted } from './soak/random.mjs';
import { checksOf, countBy, printAudit, totalsOf } from './soak/report.mjs';
import { STORES } from './soak/stores.mjs';
import { countChecks, writeTotals } from './write-totals.mjs';

const usual = Object.keys(STORES);
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    stores: { type: 'string', default: usual.join(',') },
    /** Faults to have, or to leave out, by their names in soak/faults.mjs. */
    only: { type: 'string', default: [...ALL_FAULTS, ...Object.keys(CHAOS)].join(',') },
    /** How often other than usual some calls are made, as in clear=5,heal=2. */
    calls: { type: 'string', default: '' },
    /** How many times as often faults strike. */
    rate: { type: 'string', default: '1' },
    without: { type: 'string', default: '' },
    processes: { type: 'string', default: '5' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const without = new Set(values.without.split(','));
const wanted = new Set(values.only.split(',').filter((name) => !without.has(name)));
const kinds = values.stores.split(',');
const unknown = kinds.filter((kind) => STORES[kind] === undefined);
if (unknown.length > 0)
  throw new Error(`There is no store '${unknown[0]}': ${Object.keys(STORES).join(', ')}`);
if (kinds.includes('redis') && !hasProgram('redis-server')) throw new Error('redis-server is not installed');
if (kinds.includes('postgres') && postgresPrograms() === undefined)
  throw new Error('PostgreSQL is not installed');
if (kinds.includes('mysql') && !hasMariadb()) throw new Error('MariaDB is not installed');

/** How much faster than the world the sessions live: a lease of a minute and a half is nine seconds. */
const SPEED = 10;
const LANES = 2;
/** How long a session is used before the next ones take its turn, in milliseconds. */
const PERIOD_MS = 30_000;
const SESSIONS_AT_ONCE = 2;
/** How long workers may take to come to their end. */
const STOP_TIMEOUT_MS = 90_000;

const faults = ALL_FAULTS.filter((name) => wanted.has(name));
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const next = random(seed);
const origin = Date.now();
const windows = Math.max(1, Math.ceil((minutes * 60_000) / PERIOD_MS));
console.log(`soak: seed ${seed}, ${minutes} min, ${kinds.join(' ')}; faults: ${[...wanted].join(' ')}`);

runClock({ origin, speed: SPEED });
const rate = Number(values.rate);
const pairs = values.calls.split(',').filter((pair) => pair !== '');
const calls = Object.fromEntries(pairs.map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]));
const api = await startApi({ seed, origin, speed: SPEED, faults, rate });
const redis = kinds.includes('redis') ? await startRedis(join(folder, 'redis')) : undefined;
const postgres = kinds.includes('postgres') ? await startPostgres(join(folder, 'postgres')) : undefined;
const mysql = kinds.includes('mysql') ? await startMariadb(join(folder, 'mariadb')) : undefined;
const order = { folder, redisUrl: redis?.url, postgresUrl: postgres?.url, mysqlUrl: mysql?.url };
const journal = new Journal();
const workers = [];
process.on('exit', () => {
  for (const { running } of workers) running.kill();
  api.kill();
  void redis?.kill();
  void postgres?.kill();
  void mysql?.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

await api.ask({ calm: true, stats: true });
const last = Number(values.processes) - 1;
const places = [];
for (let window = 0; window < windows; window += 1) {
  for (const kind of kinds) {
    for (let at = 0; at < SESSIONS_AT_ONCE; at += 1) {
      places.push({
        key: `${kind} ${window}.${at}`,
        kind,
        window,
        model: at % 2,
        // The process that has the sessions in memory is never killed.
        worker: STORES[kind].isShared ? undefined : last,
      });
    }
  }
}

function startWorker(index, life) {
  const name = `w${index}.${life}`;
  const own = places.filter(({ worker }) => worker === undefined || worker === index);
  const running = runProgram(
    'worker.mjs',
    {
      ...order,
      name,
      index,
      seed: seed + index * 1000 + life,
      origin,
      speed: SPEED,
      baseURL: api.url,
      lanes: LANES,
      kinds: kinds.filter((kind) => kind !== 'memory' || index === last),
      faults,
      rate,
      calls,
      places: own,
      period: PERIOD_MS,
      windows,
      pause: 100,
    },
    (line) => {
      if (line.ready) worker.isReady = true;
      journal.take(name, line);
    },
  );
  const worker = { index, life, name, running, isReady: false };
  workers[index] = worker;
  void buried(worker);
}

async function buried({ name, running }) {
  const { code, signal, errors } = await running.ended;
  journal.died(name, Date.now());
  if (signal !== null || code === 0) return;
  console.error(`${name} ended with ${code}: ${errors}`);
  counts.crashes += 1;
}

const counts = { kills: 0, freezes: 0, 'API restarts': 0, 'API pauses': 0, 'store restarts': 0, crashes: 0 };
for (let index = 0; index <= last; index += 1) startWorker(index, 0);

const strikes = {
  async kill() {
    const worker = workers[Math.floor(next() * (kinds.includes('memory') ? last : last + 1))];
    if (worker?.isReady !== true) return;
    worker.running.kill();
    await worker.running.ended;
    counts.kills += 1;
    startWorker(worker.index, worker.life + 1);
  },
  async freeze() {
    const worker = workers[Math.floor(next() * (last + 1))];
    worker.running.freeze();
    await sleep(between(next, 500, 3000));
    worker.running.thaw();
    counts.freezes += 1;
  },
  async restart() {
    await api.ask({ restart: between(next, 50, 1500) });
    counts['API restarts'] += 1;
  },
  async pause() {
    api.freeze();
    await sleep(between(next, 300, 2500));
    api.thaw();
    counts['API pauses'] += 1;
  },
  async redis() {
    await redis?.restart(between(next, 50, 800));
    counts['store restarts'] += redis === undefined ? 0 : 1;
  },
  async postgres() {
    await postgres?.restart(between(next, 50, 800));
    counts['store restarts'] += postgres === undefined ? 0 : 1;
  },
  async mysql() {
    await mysql?.restart(between(next, 50, 800));
    counts['store restarts'] += mysql === undefined ? 0 : 1;
  },
};
const chaos = Object.fromEntries(Object.entries(CHAOS).filter(([name]) => wanted.has(name)));

await api.ask({ calm: false, stats: true });
const end = Date.now() + minutes * 60_000;
const line = () => {
  const at = Math.round((Date.now() - origin) / 60_000);
  const marks = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(
    `${at} min: ${journal.size} calls, ${journal.count('done')} done, ${journal.count('failed')} rejected, ${journal.count('died')} died; ${marks.join(', ')}`,
  );
};
const minute = setInterval(line, 60_000);
while (Date.now() < end) {
  await sleep(Math.min(between(next, 500, 4000), Math.max(0, end - Date.now())));
  const strike = weighted(next, chaos);
  if (strike !== undefined && Date.now() < end) await strikes[strike]();
}
clearInterval(minute);
line();

const { struck, sawDouble } = await api.ask({ calm: true, stats: true });
const ends = workers.map(async ({ name, running }) => {
  running.tell({ stop: true });
  const ended = await Promise.race([running.ended, sleep(STOP_TIMEOUT_MS)]);
  if (ended !== undefined) return undefined;
  running.kill();
  return name;
});
const stuck = (await Promise.all(ends)).filter((name) => name !== undefined);
while ((await api.ask({ stats: true })).underWay > 0) await sleep(200);
const results = await auditAll({ places, kinds, journal, order, baseURL: api.url });

const isOf = ({ trace }, said) =>
  trace.calls.some(({ tokens: [token] }) => token !== undefined && said.includes(token));
const totals = totalsOf(results, { stuck, crashes: counts.crashes, sawDouble });
const checks = checksOf(totals);
printAudit(results, {
  faults: { ...countBy(struck, ({ fault }) => fault), ...journal.struck },
  failures: journal.failures,
  totals,
  checks,
});
const broken = Object.keys(checks).filter((name) => !checks[name]);
if (broken.length > 0) {
  const file = join(tmpdir(), `soak-${seed}.json`);
  const wrong = results
    .filter((result) => result.isWrong || sawDouble.some(({ said }) => isOf(result, said)))
    .map((result) => ({
      ...result,
      struck: struck.filter(({ path }) => result.conversations.some((id) => path.includes(id))),
      shownTwice: sawDouble.filter(({ said }) => isOf(result, said)),
    }));
  writeFileSync(file, JSON.stringify(wrong, undefined, 1));
  console.log(
    `The calls and histories of ${wrong.length} sessions are in ${file}; again: npm run soak -- --minutes ${minutes} --seed ${seed}`,
  );
}
writeTotals(countChecks(checks), { seed, minutes, ...counts, ...totals });
process.exit(broken.length === 0 ? 0 : 1);
