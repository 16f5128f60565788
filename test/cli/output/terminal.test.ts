import OpenAI from 'openai';
import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { describeDiagnosis } from '../../../src/cli/output/doctor-text.ts';
import { describeSteps } from '../../../src/cli/output/heal-text.ts';
import { describeStory } from '../../../src/cli/output/repro-text.ts';
import { HybridSession, importItems } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { HOSTILE_DIAGNOSIS } from '../../doctor/html/sample-diagnosis.ts';
import { listeningSimulator, runCommand, temporaryFolder } from '../support/on-a-ledger.ts';

/** Moves the cursor, sets the title, rings, reads backwards, hides. */
const HOSTILE = 'x\u001B[2J\u001B]0;title\u0007\u009B31m\u202Edesrever\u2066\u200F\u061C\u2028\u200B\u007Fy';
const OBEYED = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u;

const paint = (_tone: string, text: string): string => `<b>${text}</b>`;

const file = temporaryFolder();
const server = listeningSimulator();

const items: AgentInputItem[] = [
  { role: 'user', content: HOSTILE },
  { type: 'hosted_tool_call', id: HOSTILE, name: HOSTILE, status: HOSTILE, output: HOSTILE },
  { type: 'function_call', id: HOSTILE, callId: HOSTILE, name: HOSTILE, arguments: HOSTILE },
  { type: 'function_call_result', callId: HOSTILE, name: HOSTILE, status: 'completed', output: HOSTILE },
];

describe('what reaches a terminal', () => {
  it('terminal output holds no control characters from kinds, IDs, names or content', async () => {
    const ledger = sqliteLedger({ path: file('sessions.db') });
    await importItems({ ledger, sessionId: HOSTILE, items });
    const { OPENAI_BASE_URL: baseURL = '', ...key } = server.env();
    const env = { ...key, OPENAI_BASE_URL: baseURL, HYBRID_SESSION_LEDGER: `sqlite:${file('sessions.db')}` };
    const client = new OpenAI({ apiKey: 'sk-secret', baseURL, maxRetries: 0 });
    const session = new HybridSession({ client, ledger });
    const id = await session.getSessionId();
    await session.addItems(items);
    await ledger.close();
    const commands = [
      ['inspect', HOSTILE],
      ['inspect', HOSTILE, '--content'],
      ['inspect', HOSTILE, '--json', '--content'],
      ['inspect', `${HOSTILE}.`],
      ['export', HOSTILE],
      ['export', HOSTILE, '--format', 'markdown'],
      ['export', id, '--format', HOSTILE],
      ['doctor', id],
      ['doctor', id, '--content'],
      ['doctor', id, '--json', '--content'],
      ['doctor', HOSTILE],
      ['heal', id, '--dry-run'],
      ['heal', id, '--dry-run', '--json'],
      ['heal', HOSTILE],
      [HOSTILE],
      ['import', HOSTILE, '--session', HOSTILE],
      ['import', '-', '--session', HOSTILE, '--append'],
      ['erase', HOSTILE],
      ['erase', HOSTILE, '--yes'],
    ];
    for (const command of commands) {
      const { stdout, stderr } = await runCommand(command, env, {
        input: [`${HOSTILE}\n`],
        terminal: { input: command[0] === 'erase' && command.length === 2 },
      });
      expect([command[0], OBEYED.exec(stdout), OBEYED.exec(stderr)]).toEqual([command[0], null, null]);
      expect(stdout + stderr).not.toBe('');
    }
  });

  it('only the program colours terminal output', () => {
    expect(describeDiagnosis(HOSTILE_DIAGNOSIS, { paint, columns: 80, next: HOSTILE })).not.toMatch(OBEYED);
    const steps = [{ how: 'written' as const, index: 0, kind: HOSTILE, id: `${HOSTILE}\n` }];
    const text = describeSteps({
      dryRun: true,
      sessionId: 'user-42',
      from: 'conv_1',
      conversationId: undefined,
      items: 1,
      linked: 0,
      dangling: 0,
      written: 1,
      skipped: 0,
      verified: false,
      steps,
    });
    expect(text).not.toMatch(OBEYED);
    expect(text.split('\n')).toHaveLength(2);
    const turns = [{ before: HOSTILE, after: HOSTILE }];
    const failure = { turn: 1, reason: HOSTILE };
    const story = { model: HOSTILE, session: 'HybridSession' as const, turns, answers: 1, surviving: 1 };
    expect(describeStory({ ...story, intact: false, list: HOSTILE, answer: HOSTILE, failure })).not.toMatch(
      OBEYED,
    );
  });
});

describe('an export', () => {
  it('an export is data: no secret of the environment is replaced in it, in any format', async () => {
    const ledger = `sqlite:${file('sessions.db')}`;
    const said: AgentInputItem = {
      role: 'user',
      content: 'install postgres at postgres://ada:postgres@db with sk-abcdefgh12',
    };
    const line = `${JSON.stringify(said)}\n`;
    const env = { POSTGRES_PASSWORD: 'postgres', HYBRID_SESSION_LEDGER: ledger };
    await runCommand(['import', '-', '--session', 's'], env, { input: [line] });
    const exported = await runCommand(['export', 's'], env);
    expect(exported).toMatchObject({ code: 0, stdout: line });
    const again = await runCommand(['import', '-', '--session', 't'], env, { input: [exported.stdout] });
    const digest = /digest (\S+)/.exec(exported.stderr)?.[1];
    expect(again.stderr).toContain(`digest ${digest}`);
    const markdown = await runCommand(['export', 's', '--format', 'markdown'], env);
    expect(markdown.stdout).toContain('install postgres at postgres://ada:postgres@db');
    const json = await runCommand(['inspect', 's', '--content', '--json'], env);
    expect(json.stdout).toContain('install postgres at');
    const report = await runCommand(['inspect', 's', '--content'], env);
    expect(report.stdout).toContain('install ***');
    expect((await runCommand(['help', 'inspect'], env)).stdout).toContain('postgres:URL');
  });
});
