import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, tool } from '@openai/agents';
import OpenAI from 'openai';
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { HybridRunner, HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import { clock } from '../../../src/util/clock.ts';
import { ROOT } from '../../package/packed.ts';
import { startProgram } from '../../package/run-program.ts';
import { FULL } from '../../support/runs.ts';
import { callsNamedTools, told } from '../support/recorded-runs.ts';

// Every boundary, with and without a stream, in the first, second and third run of a session.
const KILLS = FULL ? 84 : 5;
/** So long that no process that lives loses its lease; the clock of the next one is that much ahead. */
const MIRROR_LEASE = 120_000;
/** So many boundaries a run has, or more. */
const BOUNDARIES = 14;

const WORKER = fileURLToPath(new URL('../../support/recorded-worker.mjs', import.meta.url));

beforeAll(() => {
  const built = fileURLToPath(new URL('../../../dist/esm/src/index.js', import.meta.url));
  if (!existsSync(built)) throw new Error('The workers read the built package; run: npm run build');
});

/** Runs a worker until it ends or kills itself. @returns its lines. */
async function lived(order: object): Promise<readonly string[]> {
  const { stdout, stderr } = await startProgram('node', [WORKER, JSON.stringify(order)], { cwd: ROOT })
    .finished;
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

it(
  `a process killed at any boundary of a run, ${KILLS} times, leaves the question, the answers and the executed tools`,
  { timeout: 1_800_000 },
  async () => {
    const simulator = createSimulatorCore({ unlink: 'none', retain: 5000, respond: callsNamedTools });
    const server = await simulator.listen();
    const folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    onTestFinished(async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const path = join(folder, 'ledger.db');
    const client = new OpenAI({ apiKey: 'test', baseURL: server.url });
    const store = sqliteLedger({ path });
    let later = 0;
    const now = vi.spyOn(clock, 'now').mockImplementation(() => Date.now() + later);
    onTestFinished(() => now.mockRestore());
    const find = tool({
      name: 'find',
      description: 'Finds',
      parameters: z.object({}),
      execute: () => 'found',
    });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [find] });
    let killed = 0;
    let boundaries = BOUNDARIES;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // Sessions of a few kills: the first run names its conversation, later ones have a history.
      const sessionId = `session-${Math.floor(kill / 3)}`;
      const open = (): HybridSession =>
        new HybridSession({ client, sessionId, ledger: store, advanced: { mirrorLease: MIRROR_LEASE } });
      const before = told(await open().getItems());
      const dieAt = 1 + ((kill * 5) % boundaries);
      const text = `find twice, ${kill}`;
      const lines = await lived({
        path,
        sessionId,
        baseURL: server.url,
        text,
        dieAt,
        stream: (kill + Math.floor(kill / BOUNDARIES)) % 2 === 1,
        mirrorLease: MIRROR_LEASE,
        later: (later += MIRROR_LEASE),
      });
      if (!lines.includes('ended')) killed += 1;
      later += MIRROR_LEASE;
      const session = open();
      const result = await new HybridRunner({ tracingDisabled: true }).run(agent, `thanks, ${kill}`, {
        session,
      });
      expect(result.finalOutput).toBe(`answer to thanks, ${kill}`);
      const turn = told(await open().getItems()).slice(before.length, -2);
      const names = lines.map((line) => line.replace(/^\d+ /, ''));
      const count = (name: string): number => names.filter((one) => one === name).length;
      const last = names.at(-1);
      // A response is in the ledger before the process does anything else. Of a tool that has just returned the result may be missing.
      const calls = count('execute');
      const results = count('found') - (last === 'executed' ? 1 : 0);
      const isAnswered = count('asked') === 3 && last !== 'asked';
      const missing = 'find: The run was interrupted before this tool returned a result.';
      expect(turn).toEqual([
        ...(names.includes('ask') ? [`user: ${text}`] : []),
        ...Array.from({ length: calls }, (_, call) => [
          'call find',
          call < results ? 'find: found' : missing,
        ]).flat(),
        ...(isAnswered ? [`assistant: answer to ${text}`] : []),
      ]);
      const { drafts, nextSeq } = await new Ledger({ store, sessionId }).readAt();
      expect(drafts.open).toEqual([]);
      const interrupted = drafts.interrupted.filter(({ until }) => until === nextSeq - 2);
      // The answer is recorded before the run is saved.
      const isDead = !names.includes('ended') && interrupted.length > 0;
      const isInterrupted = turn.length > 0 && (!isAnswered || isDead);
      expect(interrupted.map(({ reason, from, until }) => [reason, until - from])).toEqual(
        isInterrupted ? [['abandoned', turn.length]] : [],
      );
      boundaries = Math.max(boundaries, ...lines.map((line) => Number.parseInt(line) || 0));
      await session.flush();
      expect(await open().verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
    }
    expect(killed).toBeGreaterThan(KILLS / 2);
  },
);
