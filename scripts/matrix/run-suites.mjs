// The suites of a cell: an exception has to fail, every other test has to pass.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './plan.mjs';

/** Tests that must fail with an older SDK. */
const EXCEPTIONS = JSON.parse(readFileSync(join(ROOT, 'scripts', 'matrix', 'exceptions.json'), 'utf8'));
/**
 * Stories of many processes start workers from the sources, or load the sources twice; stories of cut and late requests and of other
 * servers do not depend on the SDK.
 */
const EXCLUDED = [
  'test/flows/processes/**',
  'test/flows/{recorded-sequences,resumed-recorded-runs}.test.ts',
  'test/flows/heal-interruptions.test.ts',
  'test/flows/exactly-once.test.ts',
  'test/flows/late-writes.test.ts',
  'test/flows/profiles.test.ts',
];
/** Of random cases a part: with the newest SDK `npm test` tries all. */
const TEST_RUNS = '0.2';

/** @returns the counts of a cell, and its failures. */
export async function runSuites({ name, sdk, node, suites }, folder) {
  const report = join(folder, `${name.replaceAll(/\W+/g, '-')}.json`);
  const args = [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...suites,
    ...[...EXCLUDED, ...filesLeftOut(sdk)].flatMap((pattern) => ['--exclude', pattern]),
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const { status, output } = await runVitest(node, args, folder, `${report}.cache`);
  if (!existsSync(report)) return { passed: 0, skipped: 0, failures: [`vitest did not run:\n${output}`] };
  const { numPendingTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const { passed, failures } = judge(testResults, exceptionsOf(sdk));
  const isUnhandled = output.includes('Unhandled') || (status !== 0 && numFailedTests === 0);
  if (failures.length === 0 && isUnhandled)
    failures.push(`an error that no test handled:\n${output.slice(-4000)}`);
  return { passed, skipped: numPendingTests, failures };
}

function runVitest(node, args, folder, cache) {
  const env = { ...process.env, CI: 'true', NO_COLOR: '1', TEST_RUNS, MATRIX_CACHE: cache };
  const child = spawn(node, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}

function judge(testResults, excepted) {
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
  for (const name of excepted) failures.push(`${name}\n    it is listed as an exception, but does not exist`);
  return { passed, failures };
}

/** The tests that have to fail with this SDK, because it lacks their subject. */
function exceptionsOf(sdk) {
  return new Set(exceptionsFor(sdk).flatMap(({ tests = [] }) => tests));
}

/** The files that are not run with this SDK, because it lacks the subject of most of their tests. */
function filesLeftOut(sdk) {
  return exceptionsFor(sdk).flatMap(({ files = [] }) => files);
}

function exceptionsFor(sdk) {
  return EXCEPTIONS.filter(({ from = '0', since }) => isBefore(sdk, since) && !isBefore(sdk, from));
}

function isBefore(version, other) {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}
