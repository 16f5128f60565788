import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { main } from '../../../src/cli/main.ts';
import { HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { stockConversation, type StockConversation } from '../../doctor/support.ts';
import { converse, TURNS } from '../../flows/support/story.ts';
import { simulated, simulatedRunner } from '../../support/simulated.ts';
import { temporaryFolder } from '../../stores/support/temporary-folder.ts';
import { turns } from '../../support/virtual-time.ts';
import { captureIo, type CapturedIo, type Surroundings } from '../support/captured-io.ts';

const KEY = 'sk-secret-key';

interface Ended extends CapturedIo {
  readonly code: number;
}

async function serve(told: Pick<StockConversation, 'simulator'>): Promise<string> {
  const server = await told.simulator.listen();
  onTestFinished(() => server.close());
  return server.url;
}

async function run(
  args: readonly string[],
  { url, ...surroundings }: Surroundings & { readonly url?: string } = {},
): Promise<Ended> {
  const env = { OPENAI_API_KEY: KEY, ...(url === undefined ? {} : { OPENAI_BASE_URL: url }) };
  const captured = captureIo(env, surroundings);
  return { ...captured, code: await main(['doctor', ...args], captured.io) };
}

/** The classic damage, served over HTTP under the key of the command. */
async function damaged(): Promise<StockConversation & { readonly url: string }> {
  const told = await stockConversation(TURNS, { apiKeys: ['test'] });
  return { ...told, url: await serve(told) };
}

const asUser = { env: { OPENAI_API_KEY: 'test' } };

async function doctor(
  told: StockConversation & { readonly url: string },
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Ended> {
  const captured = captureIo({ ...asUser.env, OPENAI_BASE_URL: told.url }, surroundings);
  return { ...captured, code: await main(['doctor', told.conversationId, ...args], captured.io) };
}

describe('agents-hybrid-session doctor', () => {
  it('doctor shows the classic damage with the source of each answer, and exits with 1', async () => {
    const told = await damaged();
    const { code, stdout, stderr } = await doctor(
      told,
      told.responses.flatMap((id) => ['--response', id]),
    );
    expect({ code, stderr: stderr() }).toEqual({ code: 1, stderr: '' });
    const lines = stdout().split('\n');
    expect(lines.slice(0, 16)).toEqual([
      told.conversationId,
      'Verdict: damaged, and every known item can be restored',
      '8 items belong to it, its list shows 5',
      '',
      'turn  item  list  kind               state',
      '   1     0     0  message:user       listed',
      '         1     -  message:assistant  LOST, restorable from response [1]',
      '   2     2     1  message:user       listed',
      '         3     -  message:assistant  LOST, restorable from response [2]',
      '   3     4     2  message:user       listed',
      '         5     -  message:assistant  LOST, restorable from response [3]',
      '   4     6     3  message:user       listed',
      '         7     4  message:assistant  listed',
      '',
      `[1] ${told.responses[0]}`,
      `[2] ${told.responses[1]}`,
    ]);
    expect(stdout()).toContain('Known from: the responses alone\nFound: 3 lost (3 restorable)\nNext: ');
    expect(lines.at(-2)).toBe(
      `Next: agents-hybrid-session heal ${told.conversationId} --response ... --dry-run`,
    );
    for (const text of [...TURNS.slice(1), ...told.answers]) expect(stdout()).not.toContain(text);
    expect(Math.max(...lines.slice(0, -2).map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('doctor takes response IDs from a log on standard input', async () => {
    const told = await damaged();
    const log = told.responses.map((id, index) => `{"level":"info","turn":${index},"response_id":"${id}"}\n`);
    const { code, stdout } = await doctor(told, ['--response', '-', '--json'], { input: log });
    expect(code).toBe(1);
    expect(JSON.parse(stdout())).toMatchObject({
      version: 2,
      conversationId: told.conversationId,
      verdict: 'repairable',
      evidence: 'responses',
      length: 8,
      listed: 5,
    });
  });

  it('doctor shows content only with --content', async () => {
    const told = await damaged();
    const ids = told.responses.flatMap((id) => ['--response', id]);
    const text = await doctor(told, [...ids, '--content']);
    for (const said of TURNS) expect(text.stdout()).toContain(`      ${said}`);
    const json = await doctor(told, [...ids, '--content', '--json']);
    expect(json.stdout()).toContain(TURNS[1]);
    expect((await doctor(told, [...ids, '--json'])).stdout()).not.toContain(TURNS[1]);
  });

  it('doctor uses colours and draws progress only on a terminal', async () => {
    const told = await damaged();
    const { stdout, stderr } = await doctor(told, [], { terminal: { out: true, err: true } });
    expect(stdout()).toContain('\u001B[33m');
    expect(stderr().startsWith('\r\u001B[2KReading the list: 5 items')).toBe(true);
    expect(stderr().endsWith('\r\u001B[2K')).toBe(true);
    const quiet = await doctor(told, ['--quiet'], { terminal: { err: true } });
    expect(quiet.stderr()).toBe('');
  });

  it('doctor exits with 3 when only the list is known', async () => {
    const told = await damaged();
    const { code, stdout } = await doctor(told, []);
    expect(code).toBe(3);
    expect(stdout()).toContain(
      'Caveat: there is nothing to compare the list with: give --ledger or --response\n',
    );
    expect(stdout()).toContain('Caveat: 3 items (#0 #1 #2) without an answer\n');
    expect(stdout()).toContain('Its items are not known, its list shows 5\n');
    expect(stdout()).toContain('\nVerdict: could not tell\n');
    expect(stdout()).toMatch(
      /Found: losses not known\nNext: agents-hybrid-session doctor conv_\w+ --ledger sqlite:sessions.db, or --response -/,
    );
    const json = await doctor(told, ['--json']);
    expect(JSON.parse(json.stdout())).toMatchObject({ lost: null, listed: 5, verdict: 'unknown' });
    const page = await doctor(told, ['--html', '-']);
    const numbers = page.stdout().matchAll(/<dt>([a-z ]+)<\/dt><dd>([^<]*)<\/dd>/g);
    expect(Array.from(numbers, ([, name, number]) => `${name}: ${number}`)).toEqual([
      'belong here: not known',
      'in the list: 5',
      'lost: not known',
      'can be restored: not known',
    ]);
  });

  it.each(['nonsense', 'resp_nonsense'])('doctor exits with 3 with an unknown response: %s', async (id) => {
    const told = await damaged();
    const { code, stdout } = await doctor(told, ['--response', id]);
    expect(code).toBe(3);
    expect(stdout()).toContain('Verdict: could not tell\n');
    expect(stdout()).toContain(
      'Caveat: one response could not be read, and nothing says that it belongs here',
    );
  });

  it('doctor exits with 2 for reasoning without the output after it', async () => {
    const told = await stockConversation(['hi'], { apiKeys: ['test'], model: 'gpt-5', unlink: 'none' });
    const { data } = await told.client.conversations.items.list(told.conversationId, { order: 'desc' });
    await told.client.conversations.items.delete(data[0]?.id ?? '', { conversation_id: told.conversationId });
    const { code, stdout } = await doctor({ ...told, url: await serve(told) }, []);
    expect(code).toBe(2);
    expect(stdout()).toContain('Caveat: 1 item of reasoning (#1) without the output after it: it was lost\n');
    expect(stdout()).toContain('Found: losses not known\n');
  });

  it('doctor finds a conversation whole whose list equals the ledger', async () => {
    const folder = await temporaryFolder();
    onTestFinished(folder.remove);
    const path = join(folder.path, 'sessions.db');
    const { simulator, client } = simulated({ apiKeys: ['test'] });
    const ledger = sqliteLedger({ path });
    const session = new HybridSession({ client, ledger });
    await converse(simulatedRunner(client), session, TURNS);
    const conversationId = await session.getSessionId();
    await ledger.close();
    const told = {
      simulator,
      client,
      conversationId,
      responses: [],
      answers: [],
      url: await serve({ simulator }),
    };
    const whole = await doctor(told, ['--ledger', `sqlite:${path}`]);
    expect(whole.stdout()).toContain('Known from: the ledger, which knows the whole conversation\n');
    expect(whole.code).toBe(0);
    const { data } = await client.conversations.items.list(conversationId, { order: 'asc' });
    await client.conversations.items.delete(data[1]?.id ?? '', { conversation_id: conversationId });
    const lost = await doctor(told, ['--ledger', `sqlite:${path}`]);
    expect(lost.stdout()).toContain('message:assistant  LOST, restorable from the ledger\n');
    expect(lost.code).toBe(1);
  });

  it('doctor waits out rate limits beyond the retries of the client', async () => {
    const told = await damaged();
    told.simulator.fault('*', { name: 'rate_limit', retryAfter: 0, times: 9 });
    const { code, stderr } = await doctor(told, []);
    expect(code).toBe(3);
    expect(stderr().match(/^Waiting 1 s for the rate limit$/gm)).toHaveLength(9);
  });

  it('doctor exits with 3 after a failed read, with two lines', async () => {
    const told = await damaged();
    const gone = await run(['conv_unknown'], { url: told.url });
    expect(gone.code).toBe(3);
    expect(gone.stderr()).toContain(
      'invalid_api_key: The API refused the key in OPENAI_API_KEY (401)\nTry: ',
    );
    const unknown = await doctor({ ...told, conversationId: 'conv_unknown' }, []);
    expect(unknown.code).toBe(3);
    expect(unknown.stderr()).toContain(
      "conversation_not_found: There is no conversation 'conv_unknown' for the key in OPENAI_API_KEY\nTry: agents-hybrid-session doctor conv_...",
    );
    const ledger = await doctor(told, ['--ledger', 'sqlite:/nowhere/at/all.db']);
    expect(ledger.code).toBe(3);
    expect(ledger.stderr()).toContain('no_such_ledger');
    expect([gone, unknown, ledger].map(({ stdout }) => stdout())).toEqual(['', '', '']);
    expect(gone.stderr() + unknown.stderr()).not.toContain('secret');
  });

  it('doctor exits with 64 for wrong arguments', async () => {
    const captured = captureIo({});
    expect(await main(['doctor', 'conv_1'], captured.io)).toBe(64);
    expect(captured.stderr()).toContain('missing_api_key: ');
    expect((await run([])).code).toBe(64);
    expect((await run(['conv_1', '--ledger', 'mongodb://x'])).code).toBe(64);
  });

  it('doctor stops at Ctrl-C with 130 and a hint to continue', async () => {
    const simulator = createSimulatorCore({ unlink: 'none', apiKeys: ['test'] });
    const lift = simulator.fault('conversations.items.list', 'no_answer');
    onTestFinished(lift);
    const server = await simulator.listen();
    onTestFinished(() => server.close());
    const captured = captureIo({ ...asUser.env, OPENAI_BASE_URL: server.url });
    const ended = main(['doctor', 'conv_1'], captured.io);
    while (simulator.log.length === 0) await turns(1);
    captured.stop('SIGINT');
    expect(await ended).toBe(130);
    expect(captured.stderr()).toContain('Stopped by SIGINT.\nTo go on: agents-hybrid-session doctor conv_1');
  });
});
