import type { Reporter, TestCase } from 'vitest/node';

/**
 * Prints a failure when it happens: the default reporter prints failures at the end, and none of them when the run is
 * stopped before.
 */
export class FailureReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    if (state !== 'failed') return;
    const causes = errors.flatMap(({ message, stack = message, diff = '' }) => [
      withoutPackages(stack),
      diff,
    ]);
    const title = `${test.module.relativeModuleId} > ${test.fullName}`;
    process.stdout.write(`\nFAILED ${title}\n${causes.join('\n')}\n\n`);
  }
}

function withoutPackages(stack: string): string {
  const lines = stack.split('\n');
  return lines
    .filter((line) => !/^\s+at .*(?:node_modules|new Promise \(<anonymous>\))/.test(line))
    .join('\n');
}
