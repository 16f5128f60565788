import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const FORMATS = [
  { format: 1, reason: 'older_format', remedy: 'begin with an empty ledger' },
  { format: 2, reason: 'older_format', remedy: 'begin with an empty ledger' },
  { format: 4, reason: 'newer_format', remedy: 'update agents-hybrid-session' },
] as const;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

const OPERATIONS: Readonly<Record<string, (session: HybridSession) => Promise<unknown>>> = {
  getItems: (session) => session.getItems(),
  addItems: (session) => session.addItems([user('two')]),
  popItem: (session) => session.popItem(),
  clearSession: (session) => session.clearSession(),
  verify: (session) => session.verify(),
  heal: (session) => session.heal(),
  'heal({ dryRun })': (session) => session.heal({ dryRun: true }),
  erase: (session) => session.erase(),
  'erase({ remote })': (session) => session.erase({ remote: true }),
  flush: (session) => session.flush(),
  run: (session) => runner.run(agent, 'hi', { session }),
};

/** The ledger of a session as another version of this package has written it. */
async function written(ledger: LedgerStore, sessionId: string, format: number): Promise<void> {
  const item = { digest: null, kind: 'message:user', item: user('one') };
  const record = { v: format, commit: 'theirs', time: 1, type: 'items', items: [item], isNew: true };
  const checkpoint = { format, version: 1, length: 1, digest: EMPTY_DIGEST, isNew: true };
  await ledger.append(sessionId, [record as never], checkpoint as never, 0);
}

describe.each(FORMATS)('a ledger of format $format', ({ format, reason, remedy }) => {
  /** A conversation, and a ledger of that format under its ID, and under a name. */
  async function world() {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
    const ledger = memoryLedger();
    for (const name of [id, 'user-42']) await written(ledger, name, format);
    const stored = async (): Promise<unknown> =>
      Promise.all(
        [id, 'user-42'].map(async (name) => [await ledger.checkpoint(name), await ledger.read(name)]),
      );
    const open = (how: 'name' | 'conversation' | 'both' | 'no mirror'): HybridSession => {
      const names = {
        name: { sessionId: 'user-42' },
        conversation: { conversationId: id },
        both: { sessionId: 'user-42', conversationId: id },
        'no mirror': { sessionId: 'user-42', mirror: 'off' },
      } as const;
      return new HybridSession({ client, ledger, ...names[how] });
    };
    return { client, simulator, id, ledger, open, stored };
  }

  it.each(Object.keys(OPERATIONS))(
    'a ledger of another format is refused by %s with a clear error, and stays unchanged',
    async (name) => {
      const { simulator, open, stored } = await world();
      const before = [await stored(), simulator.snapshot()];
      for (const how of ['name', 'conversation', 'both', 'no mirror'] as const) {
        if (how === 'no mirror' && /^(heal|flush)/.test(name)) continue;
        await expect(async () => OPERATIONS[name]?.(open(how))).rejects.toMatchObject({
          code: 'ledger_unreadable',
          reason,
          message: expect.stringMatching(
            new RegExp(`has format ${format}, and this version reads format 3; ${remedy}`),
          ),
        });
      }
      expect([await stored(), simulator.snapshot()]).toEqual(before);
    },
  );

  it('a ledger of another format is refused through an alias, and its conversation gets no other name', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
    const ledger = memoryLedger();
    await new Ledger({ store: ledger, sessionId: id }).append(() => [
      { type: 'alias', sessionId: 'user-42' },
    ]);
    await written(ledger, 'user-42', format);
    const before = [await ledger.read(id), await ledger.read('user-42'), simulator.snapshot()];
    for (const options of [{}, { sessionId: 'user-43' }]) {
      const session = new HybridSession({ client, ledger, conversationId: id, ...options });
      await expect(session.getItems()).rejects.toMatchObject({ code: 'ledger_unreadable', reason });
      await expect(session.addItems([user('two')])).rejects.toMatchObject({
        code: 'ledger_unreadable',
        reason,
      });
    }
    expect([await ledger.read(id), await ledger.read('user-42'), simulator.snapshot()]).toEqual(before);
  });
});
