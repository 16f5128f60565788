import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OpenAIConversationsSession } from '@openai/agents';
import OpenAI from 'openai';
import { converse } from '../../flows/support/story.ts';
import { simulatedRunner } from '../../support/simulated.ts';
import { listeningSimulator, runCommand, temporaryFolder, type Ran } from '../support/on-a-ledger.ts';

const file = temporaryFolder();
const { env, simulator } = listeningSimulator({ unlink: 'every-turn' });

/** A conversation of the stock session that has lost answers, and the command on it. */
async function damaged(): Promise<{ id: string; doctor: (...args: string[]) => Promise<Ran> }> {
  const client = new OpenAI({ apiKey: 'sk-secret', baseURL: env()['OPENAI_BASE_URL'], maxRetries: 0 });
  const session = new OpenAIConversationsSession({ client });
  await converse(simulatedRunner(client), session, ['my secret is 42', 'hi', 'thanks']);
  const id = await session.getSessionId();
  const given = simulator()
    .snapshot()
    .responses.flatMap((response) => ['--response', response.id]);
  return { id, doctor: (...args) => runCommand(['doctor', id, ...given, ...args], env()) };
}

describe('agents-hybrid-session doctor --html', () => {
  it('doctor --html writes a page beside the text, and names the file', async () => {
    const { id, doctor } = await damaged();
    const path = file('page.html');
    const { code, stdout, stderr } = await doctor('--html', path);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Wrote ${path}\n` });
    expect(stdout).toContain('LOST, restorable from response');
    const page = readFileSync(path, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain(`<title>Conversation ${id}</title>`);
    expect(page.match(/Can be restored/g)).toHaveLength(2);
    expect(page).not.toContain('secret');
  });

  it('doctor --html shows the content with --content, also beside JSON', async () => {
    const { doctor } = await damaged();
    const { stdout } = await doctor('--html', file('page.html'), '--content', '--json', '--quiet');
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'repairable' });
    expect(readFileSync(file('page.html'), 'utf8')).toContain('my secret is 42');
  });

  it('doctor --html writes a page that only its owner may read, also behind a link and over an old file', async () => {
    const { doctor } = await damaged();
    symlinkSync(file('new.html'), file('link-to-nothing.html'));
    writeFileSync(file('old.html'), 'before', { mode: 0o644 });
    symlinkSync('old.html', file('link.html'));
    for (const name of ['page.html', 'link-to-nothing.html', 'link.html'])
      expect((await doctor('--html', file(name), '--quiet')).code).toBe(1);
    for (const name of ['page.html', 'new.html', 'old.html']) {
      expect(statSync(file(name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(file(name), 'utf8')).toMatch(/<\/html>\n$/);
    }
    for (const name of ['link-to-nothing.html', 'link.html'])
      expect(lstatSync(file(name)).isSymbolicLink()).toBe(true);
    expect(readdirSync(file('.')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('doctor --html - writes only the page to standard output', async () => {
    const { doctor } = await damaged();
    const { code, stdout, stderr } = await doctor('--html', '-');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  });

  it('doctor --html keeps the old page after a failed read, and reports a failed write', async () => {
    const { doctor } = await damaged();
    writeFileSync(file('page.html'), 'before');
    const unread = await runCommand(['doctor', 'conv_unknown', '--html', file('page.html')], env());
    expect(unread.code).toBe(3);
    expect(readFileSync(file('page.html'), 'utf8')).toBe('before');
    const unwritten = await doctor('--html', file('no/page.html'));
    expect(unwritten).toMatchObject({ code: 70, stdout: '' });
    expect(unwritten.stderr).toMatch(
      /cannot_write: Cannot write to '.*' \(ENOENT\)\nTry: agents-hybrid-session doctor conv_\S+ --html FILE\n$/,
    );
  });

  it.each([
    [['--html', ''], '--html needs the name of a file'],
    [['--html', '-', '--json'], '--json and --html - cannot both go to standard output'],
  ])('doctor refuses %j', async (args, problem) => {
    const { code, stderr } = await runCommand(['doctor', 'conv_1', ...args], env());
    expect(code).toBe(64);
    expect(stderr).toContain(
      `invalid_argument: ${problem}\nTry: agents-hybrid-session doctor conv_1 --html conv_1.html\n`,
    );
  });
});
