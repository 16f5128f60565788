import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import {
  encryptedLedger,
  HybridRunner,
  HybridSession,
  importItems,
  memoryLedger,
  scopedLedger,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../src/index.ts';
import { diagnose, inspectLedger } from '../../src/doctor.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { runCommand } from '../cli/support/on-a-ledger.ts';
import { texts, user } from '../support/conversation.ts';

const SECRET = 'my salary is 42';
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

/** Two tenants with keys of their own and one ledger between them; the first has had a turn. */
async function tenants(ledger: LedgerStore) {
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, fetch: simulator.fetch, maxRetries: 0 });
  const open = (tenant: string, options: HybridSessionOptions = {}): HybridSession =>
    new HybridSession({ client: client(`key-${tenant}`), ledger: scopedLedger(ledger, tenant), ...options });
  const first = open('a');
  for (const text of [SECRET, 'thanks']) await runner.run(agent, text, { session: first });
  const conversationId = await first.getSessionId();
  const said = await first.getItems();
  return { client, open, first, conversationId, said };
}

const keys = [{ id: 'k', secret: new Uint8Array(32).fill(5) }];

const LEDGERS: Readonly<Record<string, () => LedgerStore>> = {
  memory: () => memoryLedger(),
  'memory, encrypted': () => encryptedLedger(memoryLedger(), { keys }),
};

describe.each(Object.keys(LEDGERS))(
  'a tenant with the conversation ID of another one, on one ledger in %s',
  (name) => {
    const ledger = (): LedgerStore => LEDGERS[name]?.() ?? memoryLedger();

    it('another tenant gets ConversationNotFoundError like from the API, and harms no item', async () => {
      const { open, first, conversationId, said } = await tenants(ledger());
      const deeds: Record<string, (session: HybridSession) => Promise<unknown>> = {
        read: (session) => session.getItems(),
        verify: (session) => session.verify(),
        append: (session) => session.addItems([user('intruder')]),
        pop: (session) => session.popItem(),
        run: (session) => runner.run(agent, 'what did I say?', { session }),
        clear: (session) => session.clearSession(),
        heal: (session) => session.heal(),
      };
      for (const [deed, act] of Object.entries(deeds)) {
        const failure = await act(open('b', { conversationId })).catch((error: unknown) => error);
        expect({ deed, failure }).toMatchObject({ deed, failure: { code: 'conversation_not_found' } });
      }
      const erased = await open('b', { conversationId }).erase({ remote: true });
      expect(erased).toMatchObject({ items: 0, responses: [], conversations: [] });

      expect(await first.getItems()).toEqual(said);
      const later = open('a', { conversationId });
      expect(await later.getItems()).toEqual(said);
      await runner.run(agent, 'and now?', { session: later });
      expect(await later.verify()).toMatchObject({ conversationId, verified: true, length: 6 });
      expect(texts(await later.getItems())).not.toContain('intruder');
    });

    it('another tenant finds no item by inspecting, importing or diagnosing', async () => {
      const whole = ledger();
      const { client, first, conversationId, said } = await tenants(whole);
      const theirs = scopedLedger(whole, 'b');
      expect(await inspectLedger(theirs, conversationId)).toBeUndefined();
      const diagnosis = await diagnose({ client: client('key-b'), conversationId, ledger: theirs }).catch(
        (error: unknown) => ({ error: String(error) }),
      );
      expect(JSON.stringify(diagnosis)).not.toContain(SECRET);
      await importItems({ ledger: theirs, sessionId: conversationId, items: [user('theirs')] });
      expect(await first.getItems()).toEqual(said);
      expect((await inspectLedger(scopedLedger(whole, 'a'), conversationId))?.length).toBe(said.length);
    });

    it('two tenants may use the same name for a session without a conversation', async () => {
      const whole = ledger();
      const open = (tenant: string): HybridSession =>
        new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger: scopedLedger(whole, tenant) });
      await open('a').addItems([user(SECRET)]);
      expect(await open('b').getItems()).toEqual([]);
      await open('b').addItems([user('theirs')]);
      await open('b').clearSession();
      await open('b').erase();
      expect(texts(await open('a').getItems())).toEqual([SECRET]);
    });
  },
);

it('a session is healed in its scope, and a request with a new wrapper follows', async () => {
  const { open, conversationId, said } = await tenants(memoryLedger());
  const { conversationId: to, sessionId } = await open('a', { conversationId }).heal();
  const later = open('a', { conversationId });
  expect(texts(await later.getItems())).toEqual(texts(said));
  expect(later).toMatchObject({ sessionId: conversationId, conversationId: to });
  expect(sessionId).toBe(conversationId);
  // The alias is of the scope, too.
  expect(texts(await open('a', { conversationId: to }).getItems())).toEqual(texts(said));
  await expect(open('b', { conversationId: to }).getItems()).rejects.toMatchObject({
    code: 'conversation_not_found',
  });
});

describe('agents-hybrid-session --scope', () => {
  it('a command with --scope finds the session of that scope alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'ledger.db');
    const ledger = sqliteLedger({ path });
    const session = new HybridSession({
      mirror: 'off',
      sessionId: 'user-42',
      ledger: scopedLedger(ledger, 'a'),
    });
    await session.addItems([user(SECRET)]);
    await ledger.close();
    const where = ['--ledger', `sqlite:${path}`];
    const run = (command: string, ...args: string[]): ReturnType<typeof runCommand> =>
      runCommand([command, 'user-42', ...where, ...args], {
        OPENAI_API_KEY: 'sk-x',
        OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      });

    expect((await run('inspect', '--content', '--scope', 'a')).stdout).toContain(SECRET);
    expect((await run('export', '--scope', 'a')).stdout).toContain(SECRET);
    for (const scope of [[], ['--scope', 'b']]) {
      const inspected = await run('inspect', '--content', ...scope);
      expect(inspected).toMatchObject({ code: 70, stdout: '' });
      const erased = await run('erase', '--yes', ...scope);
      expect(erased.code).toBe(1);
      expect((await run('export', ...scope)).stdout).not.toContain(SECRET);
    }
    expect((await run('erase', '--yes', '--scope', 'a')).code).toBe(0);
    expect((await run('inspect', '--scope', 'a')).code).toBe(70);
  });

  it.each([
    [['inspect', 'x', '--ledger', 'sqlite:x.db', '--scope', ' '], '--scope must not be blank'],
    [['doctor', 'conv_1', '--scope', 'a'], '--scope needs a ledger'],
    [['import', 'x.jsonl', '--scope', 'a'], '--scope needs a ledger'],
  ])('a command refuses %j', async (argv, words) => {
    const { code, stderr } = await runCommand(argv, { OPENAI_API_KEY: 'sk-x' });
    expect(code).toBe(64);
    expect(stderr).toContain(words);
  });
});
