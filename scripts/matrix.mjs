// Runs the flows against the packed package with other SDKs, other Nodes, Bun and Deno.
//
// node scripts/matrix.mjs [--sdk 0.8.5,0.20.0] [--runtime node24,bun] [--keep]
//
// Each cell is a folder of its own: the tarball, one version of the SDK, and a copy of the tests, whose imports of the
// sources lead to the tarball's modules. Without arguments everything runs. Ends with a table, and fails when a cell does.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const newest = manifest.devDependencies['@openai/agents'];

/** The SDKs, and the major version of the client that each comes with. */
const SDKS = {
  '0.8.5': '^6.26.0',
  '0.9.0': '^6.26.0',
  '0.11.0': '^6.35.0',
  '0.14.3': '^6.46.0',
  '0.17.2': '^7.2.0',
  [newest]: manifest.devDependencies.openai,
};
const NODES = ['20', '22', '24', '26'];
const OTHERS = { bun: '1.4.5', deno: '2.9.6' };

/** What runs with every SDK, and the part of it that runs on every Node. */
const SDK_SUITES = ['test/flows', 'test/contracts/session.test.ts', 'test/runner'];
const NODE_SUITES = ['test/flows', 'test/contracts/session.test.ts', 'test/stores/sqlite-ledger.test.ts'];
/** What an older SDK cannot do: the tests that fail with it, and must. */
const EXCEPTIONS = JSON.parse(readFileSync(join(root, 'scripts', 'matrix', 'exceptions.json'), 'utf8'));
/** Stories of many processes start workers from the sources; what is cut and interrupted knows nothing of the SDK. */
const EXCLUDED = [
  'test/flows/processes/**',
  'test/flows/heal-interruptions.test.ts',
  'test/flows/exactly-once.test.ts',
];

const { values } = parseArgs({
  options: { sdk: { type: 'string' }, runtime: { type: 'string' }, keep: { type: 'boolean' } },
});
const chosen = (given, other, all) => given?.split(',') ?? (other === undefined ? all : []);
const sdks = chosen(values.sdk, values.runtime, Object.keys(SDKS));
const runtimes = chosen(values.runtime, values.sdk, [
  ...NODES.map((version) => `node${version}`),
  ...Object.keys(OTHERS),
]);
const unknown = [
  ...sdks.filter((version) => SDKS[version] === undefined),
  ...runtimes.filter((name) => !NODES.some((node) => name === `node${node}`) && OTHERS[name] === undefined),
];
if (unknown.length > 0) {
  console.error(`matrix: unknown: ${unknown.join(', ')}`);
  process.exit(64);
}

const work = mkdtempSync(join(tmpdir(), 'matrix-'));
const cells = [];
try {
  const tarball = pack();
  for (const version of sdks)
    cells.push(runSuites(`sdk ${version}`, version, process.execPath, SDK_SUITES, tarball));
  if (runtimes.length > 0) runRuntimes(tarball);
} finally {
  if (values.keep) console.log(`matrix: kept ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

console.log('\nmatrix');
for (const { name, passed, failed, skipped, seconds } of cells) {
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`  ${name.padEnd(12)} ${counts.padEnd(36)} ${seconds.toFixed(0)} s`);
}
const total = (key) => cells.reduce((sum, cell) => sum + cell[key], 0);
const results = process.env['TEST_RESULTS'];
if (results !== undefined) {
  mkdirSync(dirname(join(root, results)), { recursive: true });
  writeFileSync(
    join(root, results),
    JSON.stringify({
      success: total('failed') === 0,
      numPassedTests: total('passed'),
      numFailedTests: total('failed'),
      numPendingTests: total('skipped'),
      numTodoTests: 0,
    }),
  );
}
process.exitCode = cells.length > 0 && total('failed') === 0 ? 0 : 1;

function pack() {
  const { status, stdout } = spawnSync('npm', ['pack', '--json', '--pack-destination', work], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error('matrix: npm pack failed');
  return join(work, JSON.parse(stdout)[0].filename);
}

/** Installs a cell: the tarball, one SDK, and what the tests need. */
function install(name, version, tarball, extra = {}) {
  const folder = join(work, name.replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  const development = [
    '@vitest/coverage-v8',
    'vitest',
    'msw',
    'fast-check',
    'libsql',
    '@electric-sql/pglite',
    'ws',
    '@openfeature/core',
    '@openfeature/server-sdk',
    '@opentelemetry/api',
    '@opentelemetry/sdk-metrics',
    '@opentelemetry/sdk-trace-base',
  ];
  const own = Object.fromEntries(
    development.flatMap((one) => {
      const found = manifest.devDependencies[one];
      return found === undefined ? [] : [[one, found]];
    }),
  );
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'matrix-cell',
      private: true,
      type: 'module',
      dependencies: {
        'agents-hybrid-session': `file:${tarball}`,
        '@openai/agents': version,
        openai: SDKS[version],
        zod: manifest.devDependencies.zod,
        ...own,
        ...extra,
      },
    }),
  );
  const { status } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', '--prefer-offline'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) throw new Error(`matrix: npm install failed for ${name}`);
  return folder;
}

function runSuites(name, version, node, suites, tarball, installed) {
  const started = performance.now();
  console.log(`\n> ${name}`);
  const folder = installed ?? install(name, version, tarball);
  if (!existsSync(join(folder, 'test'))) {
    cpSync(join(root, 'test'), join(folder, 'test'), { recursive: true });
    cpSync(join(root, 'scripts', 'matrix', 'vitest.config.mjs'), join(folder, 'vitest.config.mjs'));
  }
  const report = join(folder, `${name.replaceAll(' ', '-')}.json`);
  const exclude = EXCLUDED.flatMap((pattern) => ['--exclude', pattern]);
  const { status } = spawnSync(
    node,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...suites,
      ...exclude,
      '--reporter=json',
      `--outputFile=${report}`,
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const seconds = (performance.now() - started) / 1000;
  if (!existsSync(report)) return { name, passed: 0, failed: 1, skipped: 0, seconds };
  const { numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const excepted = exceptionsOf(version);
  let passed = 0;
  const failures = [];
  for (const { name: file, status: end, message, assertionResults } of testResults) {
    // A file that does not load fails without a failing test.
    if (end === 'failed' && assertionResults.every((one) => one.status !== 'failed'))
      failures.push(`${file}: ${message}`);
    for (const { status: outcome, fullName, failureMessages } of assertionResults) {
      const isExcepted = excepted.delete(fullName);
      if (outcome === 'failed' && !isExcepted)
        failures.push(`${fullName}\n    ${String(failureMessages[0]).split('\n')[0]}`);
      else if (outcome === 'passed' && isExcepted)
        failures.push(`${fullName}\n    it is listed as an exception, but passes`);
      else if (outcome === 'failed' || outcome === 'passed') passed += 1;
    }
  }
  if (suites === SDK_SUITES)
    for (const name of excepted)
      failures.push(`${name}\n    it is listed as an exception, but does not exist`);
  if (status !== 0 && testResults.length === 0) failures.push('vitest did not run');
  for (const failure of failures) console.log(`  FAILED ${failure}`);
  return { name, passed, failed: failures.length, skipped: numPendingTests, seconds };
}

/** The tests that have to fail with this SDK, because it lacks what they are about. */
function exceptionsOf(version) {
  return new Set(
    EXCEPTIONS.filter(({ since }) => since.localeCompare(version, 'en', { numeric: true }) > 0).flatMap(
      ({ tests }) => tests,
    ),
  );
}

/** Every Node runs the same folder; Bun and Deno live through a few turns. */
function runRuntimes(tarball) {
  const nodes = runtimes.filter((name) => name.startsWith('node'));
  const platform = `node-${process.platform}-${process.arch}`;
  const extra = Object.fromEntries(
    runtimes.map((name) =>
      name.startsWith('node')
        ? [`n${name.slice(4)}`, `npm:${platform}@${name.slice(4)}`]
        : [name, OTHERS[name]],
    ),
  );
  const folder = install('runtimes', newest, tarball, extra);
  for (const name of nodes) {
    const node = join(folder, 'node_modules', `n${name.slice(4)}`, 'bin', 'node');
    cells.push(runSuites(name, newest, node, NODE_SUITES, tarball, folder));
  }
  cpSync(join(root, 'scripts', 'matrix', 'smoke.mjs'), join(folder, 'smoke.mjs'));
  for (const name of runtimes.filter((one) => OTHERS[one] !== undefined)) cells.push(smoke(name, folder));
}

function smoke(name, folder) {
  const started = performance.now();
  console.log(`\n> ${name}`);
  const args = name === 'deno' ? ['run', '-A', '--node-modules-dir=manual', 'smoke.mjs'] : ['smoke.mjs'];
  const { status } = spawnSync(join('node_modules', '.bin', name), args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 120_000,
  });
  const seconds = (performance.now() - started) / 1000;
  return { name, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, seconds };
}
