import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { fleet, type Fleet } from '../../many/support.ts';
import { captureIo, type Surroundings } from '../support/captured-io.ts';
import { temporaryFolder, type Ran } from '../support/on-a-ledger.ts';

const file = temporaryFolder();

interface World extends Fleet {
  readonly path: string;
  readonly run: (args: readonly string[], surroundings?: Surroundings) => Promise<Ran>;
  readonly env: Record<string, string>;
}

/** Sessions in a SQLite file, and their conversations on a server. */
async function world(count: number): Promise<World> {
  const path = `sqlite:${file('sessions.db')}`;
  const ledger = sqliteLedger({ path: file('sessions.db') });
  const made = await fleet(count, ledger);
  const server = await made.simulator.listen();
  onTestFinished(async () => {
    await server.close();
    await ledger.close();
  });
  const env = { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: server.url };
  const run = async (args: readonly string[], surroundings?: Surroundings): Promise<Ran> => {
    const { io, stdout, stderr } = captureIo(env, surroundings);
    const code = await main([...args, '--ledger', path], io);
    return { code, stdout: stdout(), stderr: stderr() };
  };
  return { ...made, path, run, env };
}

/** The lines of JSON, by ID. */
function jsonLines(text: string): Map<string, Record<string, unknown>> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map((line) => [String(line['id']), line]),
  );
}

describe('doctor --all', () => {
  it('doctor --all shows a line for each session and a summary, and exits with the worst verdict', async () => {
    const { run, damage } = await world(4);
    expect(await run(['doctor', '--all'])).toMatchObject({ code: 0, stderr: '4 whole\n' });
    await damage('user-2');
    const { code, stdout, stderr } = await run(['doctor', '--all', '--concurrency', '2']);
    expect({ code, stderr: stderr.trim().split(', ').toSorted() }).toEqual({
      code: 1,
      stderr: ['1 repairable', '3 whole'],
    });
    expect(stdout.split('\n').filter((line) => line.startsWith('whole '))).toHaveLength(3);
    expect(stdout).toMatch(/^repairable {4}user-2 {2}conv_\w+ {2}its list shows 1 of 2, 1 lost$/m);
  });

  it('doctor --all shows a bar and only the damaged sessions on a terminal', async () => {
    const { run, damage } = await world(3);
    await damage('user-1');
    const { stdout, stderr } = await run(['doctor', '--all'], { terminal: { out: true, err: true } });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stdout).toContain('user-1');
    expect(stderr).toMatch(/Checked \[#{6}-{14}\] 1 of 3, [\d.]+\/s, \d+ s left/);
    expect(stderr).toContain('2 whole');
  });

  it('doctor --stdin reads the sessions or conversations of its input, and doctor --json writes a line for each', async () => {
    const { run, conversationOf, damage } = await world(3);
    await damage('user-1');
    const input = [`${conversationOf('user-0')} and more\nuser`, '-1\n\n'];
    const { code, stdout } = await run(['doctor', '--stdin', '--json'], { input });
    const lines = jsonLines(stdout);
    expect(code).toBe(1);
    expect(lines.get(conversationOf('user-0'))).toMatchObject({ version: 1, verdict: 'whole', lost: 0 });
    expect(lines.get('user-1')).toEqual({
      version: 1,
      id: 'user-1',
      verdict: 'repairable',
      conversationId: conversationOf('user-1'),
      length: 2,
      listed: 1,
      lost: 1,
      evidence: 'ledger',
      caveats: [],
    });
  });

  it('doctor --report continues with the sessions that it does not have, and counts the others', async () => {
    const { run, simulator, damage } = await world(5);
    await damage('user-3');
    const report = file('report.jsonl');
    await run(['doctor', '--all', '--report', report]);
    const lines = readFileSync(report, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(statSync(report).mode & 0o777).toBe(0o600);
    // The process was killed in the middle of a line.
    const kept = lines.filter((line) => !line.includes('user-1'));
    writeFileSync(report, `${kept.join('\n')}\n${lines[0]?.slice(0, 20)}`);
    const before = simulator.log.length;
    const { code, stdout, stderr } = await run(['doctor', '--all', '--report', report]);
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stdout).toContain('user-1');
    expect(stderr).toContain('4 whole');
    expect(simulator.log.length - before).toBe(1);
  });

  it('doctor --all stops at a signal, and the same command continues', async () => {
    const { path, env } = await world(12);
    const report = file('report.jsonl');
    const args = ['doctor', '--all', '--ledger', path, '--report', report, '--concurrency', '1'];
    const first = captureIo(env);
    const running = main(args, first.io);
    await first.printed(/user-/);
    first.stop('SIGINT');
    expect(await running).toBe(130);
    expect(first.stderr()).toContain(`To go on: the same command: it continues with ${report}`);
    const done = first.stdout().trim().split('\n').length;
    expect(done).toBeLessThan(12);
    const second = captureIo(env);
    expect(await main(args, second.io)).toBe(0);
    expect(second.stdout().trim().split('\n')).toHaveLength(12 - done);
    expect(second.stderr()).toBe('12 whole\n');
  });

  it('doctor --html writes a page for each conversation, and an index with the worst first', async () => {
    const { run, damage } = await world(3);
    await damage('user-2');
    const folder = file('damage');
    const { code } = await run(['doctor', '--all', '--html', folder, '--quiet']);
    expect(code).toBe(1);
    const index = readFileSync(`${folder}/index.html`, 'utf8');
    const links = Array.from(index.matchAll(/href="(conversations\/[^"]+)"/g), ([, link = '']) => link);
    expect(links[0]).toBe('conversations/user-2.html');
    expect(links).toHaveLength(3);
    for (const link of links) expect(readFileSync(`${folder}/${link}`, 'utf8')).toContain('<!doctype html>');
    expect(index).not.toContain('hello of');
    expect(readdirSync(folder).toSorted()).toEqual(['conversations', 'index.html', 'report.jsonl']);
  });

  it('a session that cannot be read is reported, and tried again by the next run', async () => {
    const { run, simulator } = await world(2);
    simulator.fault('conversations.items.list', { status: 403, times: 1, message: 'secret' });
    const report = file('report.jsonl');
    const { code, stdout, stderr } = await run(['doctor', '--all', '--report', report, '--json']);
    expect(code).toBe(3);
    const failed = [...jsonLines(stdout).values()].filter(({ verdict }) => verdict === 'failed');
    expect(failed).toMatchObject([{ error: { code: 'request_failed' } }]);
    expect(stdout + stderr).not.toContain('secret');
    expect(await run(['doctor', '--all', '--report', report])).toMatchObject({
      code: 0,
      stderr: '2 whole\n',
    });
  });

  it.each([
    [['doctor', '--all', '--stdin'], '--all and --stdin do not go together'],
    [['doctor', '--all', '--concurrency', '0'], '--concurrency must be a whole number from 1 to 64'],
    [['doctor', '--all', '--html', '-'], '--html needs a folder'],
    [['heal', '--all', '--only', 'whole'], '--only must be one of damaged'],
    [['verify'], 'No session was given'],
    [['verify', 'user-1', '--all'], "Unexpected argument 'user-1'"],
  ])('wrong arguments are refused: %j', async (args, problem) => {
    const { run } = await world(0);
    const { code, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(problem) as string });
  });

  it('doctor --all needs a ledger', async () => {
    const { io, stderr } = captureIo({ OPENAI_API_KEY: 'test' });
    expect(await main(['doctor', '--all'], io)).toBe(64);
    expect(stderr()).toContain('--all needs a ledger');
  });
});

describe('heal --all', () => {
  it('heal --all heals the damaged sessions, and --dry-run none', async () => {
    const { run, ledger, damage, conversationOf, client } = await world(3);
    await damage('user-1');
    const planned = await run([
      'heal',
      '--all',
      '--only',
      'damaged',
      '--dry-run',
      '--report',
      file('plan.jsonl'),
    ]);
    expect(planned.code).toBe(0);
    expect(planned.stdout).toMatch(/^repairable {4}user-1 {2}conv_\w+ {2}2 item\(s\): 2 linked by ID/m);
    expect((await ledger.checkpoint('user-1'))?.conversation).toBe(conversationOf('user-1'));
    const refused = await run(['heal', '--all', '--report', file('plan.jsonl')]);
    expect(refused.stderr).toContain('is a report of the command heal --dry-run');
    const healed = await run(['heal', '--all', '--report', file('healed.jsonl')]);
    expect(healed).toMatchObject({ code: 0, stderr: expect.stringContaining('1 healed') as string });
    const session = new HybridSession({ sessionId: 'user-1', client, ledger });
    expect((await session.verify()).findings).toEqual([]);
    expect(session.conversationId).not.toBe(conversationOf('user-1'));
    expect((await run(['heal', '--all'])).stderr).toBe('3 whole\n');
  });
});

describe('verify', () => {
  it('verify proves one session or all, and exits with 1 if one is not proven', async () => {
    const { run, client, ledger, damage } = await world(2);
    await damage('user-0');
    expect(await run(['verify', 'user-0'])).toMatchObject({
      code: 0,
      stdout: 'verified      user-0  2 items, 1 not in the list\n',
    });
    expect(await run(['verify', '--all'])).toMatchObject({ code: 0, stderr: '2 verified\n' });
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'before' }] });
    await new HybridSession({ sessionId: 'adopted', conversationId: id, client, ledger }).getItems();
    const { code, stdout } = await run(['verify', '--all', '--json']);
    expect(code).toBe(1);
    expect(jsonLines(stdout).get('adopted')).toMatchObject({ verdict: 'unproven', unproven: 1 });
  });

  it('verify exits with 1 for a name that the ledger does not know', async () => {
    const { run } = await world(1);
    expect(await run(['verify', 'user-O'])).toMatchObject({
      code: 1,
      stdout: "failed        user-O  Cannot use the ledger: it knows no session 'user-O'\n",
      stderr: '1 failed\n',
    });
  });
});

it('the commands on many sessions create no ledger', async () => {
  const path = file('none.db');
  const { io, stderr } = captureIo({ OPENAI_API_KEY: 'test' });
  expect(await main(['doctor', '--all', '--ledger', `sqlite:${path}`], io)).toBe(70);
  expect(stderr()).toContain('no_such_ledger');
  expect(existsSync(path)).toBe(false);
});
