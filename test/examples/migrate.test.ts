import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { outline } from '../../mocks/wire/outline.ts';
import { ROOT } from '../package/packed.ts';
import { startProgram, type Finished } from '../package/run-program.ts';
import { FULL } from '../support/runs.ts';
import { isBuilt, linkExample } from './support/linked-example.ts';

const CLI = join(ROOT, 'dist', 'esm', 'src', 'cli.js');
const USERS = ['ada', 'bob', 'eve', 'joe'];

interface Server {
  readonly say: (user: string, text: string) => Promise<string>;
  readonly stats: () => Promise<Record<string, unknown>>;
  readonly rollout: (text: string) => Promise<number>;
  /** SIGTERM; its log goes to app.log. */
  readonly stop: () => Promise<void>;
}

/** The app in production, at an API that drops the answers of each turn. */
async function production() {
  const app = linkExample('migrate');
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  onTestFinished(() => simulator.close());
  const { url } = await simulator.listen();
  const env = {
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'test',
    HYBRID_SESSION_LEDGER: 'sqlite:sessions.db',
    PORT: '0',
  };

  const start = async (program: string, more: Readonly<Record<string, string>> = {}): Promise<Server> => {
    const running = startProgram('node', [program], { cwd: app, env: { ...env, ...more } });
    onTestFinished(() => void running.child.kill('SIGKILL'));
    const address = (await running.line(/^listening on /)).replace('listening on ', '');
    const send = (method: string, path: string, body?: string): Promise<Response> =>
      fetch(`${address}${path}`, { method, ...(body === undefined ? {} : { body }) });
    return {
      say: async (user, text) => (await send('POST', `/chats/${user}`, text)).text(),
      stats: async () => (await (await send('GET', '/stats')).json()) as Record<string, unknown>,
      rollout: async (text) => (await send('PUT', '/rollout', text)).status,
      async stop() {
        running.child.kill('SIGTERM');
        const { code, stdout, stderr } = await running.finished;
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        appendFileSync(join(app, 'app.log'), stdout);
      },
    };
  };

  /** Runs a command of the package, with the lines of the log that name a text on its standard input. */
  const command = (args: readonly string[], grep?: string): Promise<Finished> => {
    const quoted = ['node', CLI, ...args].join(' ');
    const line = grep === undefined ? quoted : `grep ${grep} app.log | ${quoted}`;
    return startProgram('sh', ['-c', line], { cwd: app, env }).finished;
  };

  const conversations = (): Record<string, string> =>
    JSON.parse(readFileSync(join(app, 'users.json'), 'utf8')) as Record<string, string>;
  return { simulator, start, command, conversations };
}

describe.runIf(FULL && isBuilt)('the example migrate', () => {
  it('an operator moves a damaged production over step by step, restores what was lost, and changes no conversation of a user', async () => {
    const { simulator, start, command, conversations } = await production();

    const before = await start('before.js');
    for (const user of USERS)
      for (const text of [`I am ${user}`, 'hi', 'thanks']) await before.say(user, text);
    expect(await before.say('ada', 'who am I?')).toContain('I see 5 items (4u 1a)');
    await before.stop();
    const users = conversations();

    const server = await start('server.js', { HYBRID_SESSION_ROLLOUT: 'shadow' });
    for (const user of USERS) for (const text of ['one', 'two']) await server.say(user, text);
    expect(await server.say('ada', 'three')).toContain('(7u 1a)');
    // The first turn of a session adopts its list; from the second one on losses are known.
    const seen = await server.stats();
    expect(seen).toMatchObject({ turns: 9, lostItems: 5, restored: { items: 0 }, requests: { chained: 0 } });

    expect(await server.rollout('rebuild 50% else shadow')).toBe(200);
    expect(await server.rollout('sometimes')).toBe(400);
    const answers = await Promise.all(USERS.map((user) => server.say(user, 'four')));
    const rebuilt = USERS.filter((_user, index) => !/ 1a\)/.test(answers[index] ?? ''));
    expect(rebuilt.length).toBeGreaterThan(0);
    expect(rebuilt.length).toBeLessThan(USERS.length);

    expect(await server.rollout('chain')).toBe(200);
    for (const user of USERS) await server.say(user, 'five');
    const chained = await server.stats();
    expect(chained).toMatchObject({ requests: { chained: 4 } });
    expect(chained['events']).not.toHaveProperty('incomplete');

    const found = await command(['doctor', '--all', '--quiet']);
    expect(found.code).toBe(1);
    expect(found.stdout.match(/^repairable /gm)).toHaveLength(4);

    const ada = users['ada'] ?? '';
    const restored = await command(['heal', ada, '--response', '-'], ada);
    expect(restored).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('3 item(s) were restored') as unknown,
    });
    expect(await server.say('ada', 'six')).toContain('(10u 9a)');

    expect((await command(['heal', '--all', '--only', 'damaged', '--quiet'])).code).toBe(0);
    const whole = await command(['doctor', '--all', '--quiet']);
    expect(whole.stdout.match(/^whole /gm)).toHaveLength(4);
    expect(whole.code).toBe(0);
    // Bob's log was not given: the two answers that were lost before the first step are still missing.
    expect(await server.say('bob', 'six')).toContain('(8u 5a)');
    await server.stop();

    expect(conversations()).toEqual(users);
    const lists = simulator.snapshot().conversations.map(({ items }) => outline(items));
    expect(lists).toContain(Array.from({ length: 20 }, (_item, index) => 'ua'[index % 2]).join(','));
  });
});
