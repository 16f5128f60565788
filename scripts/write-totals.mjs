import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns the counts of the checks that passed and failed. */
export function countChecks(checks) {
  const results = Object.values(checks);
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed, skipped: 0 };
}

/** Writes the counts, in the form of vitest's JSON report, to the file that `TEST_RESULTS` names, if it is set. */
export function writeTotals({ passed, failed, skipped }, measured) {
  const path = process.env.TEST_RESULTS;
  if (path === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  const totals = {
    success: failed === 0 && passed > 0,
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
    numTodoTests: 0,
    measured,
  };
  writeFileSync(path, JSON.stringify(totals));
}
