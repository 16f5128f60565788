// `npm run quick`: types, lint and unit tests of the rooms that differ from main, in less than a minute.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Folders of whole stories and processes: `npm run unit` runs them. */
const SLOW = new Set(['contracts', 'flows', 'hostile', 'package', 'sequences', 'soak']);

const began = performance.now();
const git = (...args) => spawnSync('git', args, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);

const [base = 'HEAD'] = git('merge-base', 'main', 'HEAD');
const changed = [
  ...git('diff', '--name-only', '--diff-filter=d', base),
  ...git('ls-files', '--others', '--exclude-standard'),
];
const sources = changed.filter((path) => /\.(?:ts|mjs)$/.test(path));
const rooms = [
  ...new Set(sources.map((path) => /^(?:src|test)\/([^/]+)\/|^(mocks)\//.exec(path)?.slice(1).find(Boolean))),
].filter((room) => room !== undefined && room !== 'support' && !SLOW.has(room));
const tests = [
  'test/structure.test.ts',
  ...rooms.map((room) => `test/${room}`).filter((folder) => existsSync(folder)),
  ...changed.filter((path) => /^test\/[^/]+\.test\.ts$/.test(path)),
];

function run(name, command, ...args) {
  return new Promise((resolve) => {
    const child = spawn('npx', [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
    child.on('close', (status) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (after ${seconds} s)`);
      if (status !== 0) console.log(output);
      resolve(status === 0);
    });
  });
}

console.log(`Changed since main: ${rooms.length === 0 ? 'no room' : rooms.join(', ')}`);
const checks = [() => run('types', 'tsc', '-p', 'tsconfig.json')];
if (sources.length > 0)
  checks.push(() => run('lint', 'oxlint', '--type-aware', '--deny-warnings', ...sources));
checks.push(() => run('unit tests', 'vitest', 'run', ...new Set(tests)));

const passed = [];
const next = async () => {
  for (let check = checks.shift(); check !== undefined; check = checks.shift()) passed.push(await check());
};
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, next));
console.log(`${((performance.now() - began) / 1000).toFixed(1)} s. Everything: npm test`);
process.exitCode = passed.every(Boolean) ? 0 : 1;
