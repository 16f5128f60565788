import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startProgram, type Finished } from '../package/run-program.ts';
import { FULL } from '../support/runs.ts';
import { installExample, type InstalledExample } from './support/installed-example.ts';

describe.runIf(FULL)('the example testing', () => {
  let example: InstalledExample;
  beforeAll(async () => {
    example = await installExample('testing');
  });
  afterAll(() => example.dispose());

  const runTests = (runner: 'vitest' | 'jest'): Promise<Finished> => {
    const bin = join(example.folder, '..', 'node_modules', '.bin', runner);
    const args = runner === 'vitest' ? ['run'] : ['--colors=false'];
    return startProgram(bin, args, { cwd: example.folder }).finished;
  };

  /** Breaks a file of the app until the test ends. */
  const change = async (path: string, from: string, to: string): Promise<void> => {
    const file = join(example.folder, path);
    const text = await readFile(file, 'utf8');
    expect(text).toContain(from);
    onTestFinished(() => writeFile(file, text));
    await writeFile(file, text.replaceAll(from, to));
  };

  it('the tests of a test author pass in vitest', async () => {
    const { code, stdout, stderr } = await runTests('vitest');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Tests\s+5 passed \(5\)/);
  });

  it('the tests of a test author pass in jest with CommonJS', async () => {
    const { code, stderr } = await runTests('jest');
    expect(stderr).toMatch(/Tests:\s+4 passed, 4 total/);
    expect(code).toBe(0);
  });

  it("a test of the vitest app names the answers that the SDK's own session loses", async () => {
    await change('vitest/chat.mjs', 'HybridSession', 'OpenAIConversationsSession');
    await change('vitest/chat.mjs', "from 'agents-hybrid-session'", "from '@openai/agents'");
    const { code, stderr } = await runTests('vitest');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'FAIL  vitest/chat.test.mjs > the memory > the model sees every question and every answer',
    );
    expect(stderr).toMatch(/The model did not see .*Answer 1/);
  });

  it('a test of the jest app notices that all users share a session', async () => {
    await change('jest/chat.js', 'sessionId: userId', "sessionId: 'everyone'");
    const { code, stderr } = await runTests('jest');
    expect(code).toBe(1);
    expect(stderr).toContain('● two users do not see each other');
  });
});
