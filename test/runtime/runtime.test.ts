import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { withPort } from '../../src/chaining/attribution.ts';
import { ConversationReplaced } from '../../src/ledger/attached-conversation.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { digestOf } from '../../src/ledger/state.ts';
import type { RolloutContext } from '../../src/rollout/rollout.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import type { OpenSession } from '../../src/runtime/read.ts';
import { SessionRuntime } from '../../src/runtime/runtime.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { recorder, requestsOf } from '../flows/support/story.ts';
import { assistant, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated } from '../support/simulated.ts';

const itemsOf = (...items: readonly AgentInputItem[]): LedgerStep => ({
  type: 'items',
  items: items.map((item) => ledgerItem(item, true)),
});

/** The runtime of a session, and what is written to its ledger by another process. */
function world(given: HybridSessionOptions = {}) {
  const { client, simulator } = simulated();
  const store: LedgerStore = memoryLedger();
  const told = recorder();
  const runtimeOf = (more: HybridSessionOptions = {}): SessionRuntime =>
    new SessionRuntime(
      resolveOptions({ client, ledger: store, bookmark: false, onEvent: told.onEvent, ...given, ...more }),
    );
  const append = (...steps: LedgerStep[]): Promise<unknown> =>
    new Ledger({ store: elsewhere(store), sessionId: 'user-42' }).append(() => steps);
  return { client, simulator, store, ...told, runtimeOf, append, runtime: runtimeOf() };
}

/** A session without a conversation. */
const local = (given: HybridSessionOptions = {}) => world({ mirror: 'off', sessionId: 'user-42', ...given });

const failing = (): never => {
  throw new RangeError('secret');
};

const nothing = async (): Promise<void> => undefined;
const conversationOf = async ({ conversation }: OpenSession): Promise<string | undefined> =>
  conversation?.conversationId;

describe('the beginning of a turn', () => {
  const context = { length: 2, digest: '' };

  it('a turn that reads nothing has served nothing', async () => {
    const { runtime, append } = local();
    await append(itemsOf(user('one'), assistant('1')));
    await runtime.run(async (open, mode) => {
      const scopes: unknown[] = [];
      const ledger = Object.assign(Object.create(open.ledger), {
        read: (how: object) => {
          scopes.push(how);
          return open.ledger.read();
        },
      });
      expect(await runtime.beginning(mode, { ledger })).toEqual({
        mode: 'chain',
        isRead: false,
        lost: undefined,
        bytes: 0,
        isRun: false,
        served: 0,
        length: 2,
        forecast: { reason: 'no_parent', covered: 0, bytes: undefined },
      });
      expect(scopes).toEqual([{ scope: 'tail' }]);
    });
  });

  it.each([
    [undefined, 'extends'],
    [[], 'extends'],
    [[{ type: 'lost', id: 'msg_1', index: 0 }], 'diverged'],
  ])('a turn that lost %j expects its plan by that: %s', async (lost, reason) => {
    const { runtime, append } = local();
    await append(itemsOf(user('one'), assistant('1')), { type: 'response', id: 'resp_1', store: true });
    const beginning = await runtime.run(async (open, mode) => {
      const state = await open.ledger.read();
      const served = { state, items: [user('one')], lost, bytes: 7 } as never;
      return withPort(runtime.responses, () => runtime.beginning(mode, open, served));
    });
    expect(beginning).toMatchObject({ isRead: true, isRun: true, lost, bytes: 7, served: 1, length: 2 });
    expect(beginning.forecast.reason).toBe(reason);
  });

  it('a run of another session is not one of this session', async () => {
    const { runtime, runtimeOf } = local();
    const other = runtimeOf({ sessionId: 'user-43' });
    const { isRun } = await runtime.run((open, mode) =>
      withPort(other.responses, () => runtime.beginning(mode, open)),
    );
    expect(isRun).toBe(false);
  });

  it('a request begins a turn that goes on, and none that is under way', async () => {
    const { runtime, append } = local();
    await append(itemsOf(user('one'), assistant('1')));
    expect(runtime.turn.isUnderWay).toBe(false);
    await runtime.responses.view('tail');
    expect(runtime.turn.isUnderWay).toBe(true);
    expect(runtime.turn.seen).toBeUndefined();
    await runtime.run(async (open, mode) => {
      const served = { state: await open.ledger.read(), items: [], lost: [], bytes: 0 } as never;
      runtime.turn.began({ ...(await runtime.beginning(mode, open, served)), isPart: false });
    });
    await runtime.responses.view('tail');
    expect(runtime.turn.seen).toEqual({ lost: 0, whole: true });
  });

  it('the end of a turn is told once', async () => {
    const { runtime, append, of } = local();
    await append(itemsOf(user('one'), assistant('1')), {
      type: 'response',
      id: 'resp_1',
      store: true,
      model: 'gpt-4.1',
      context: { ...context, digest: 'other' },
    });
    await runtime.run(async (open, mode) => {
      const state = await open.ledger.read();
      await runtime.turnGoesOn(mode, open);
      runtime.turn.appended([assistant('1')]);
      runtime.turnEnded('user-42', 'resp_1', state);
      runtime.turnEnded('user-42', 'resp_1', state);
    });
    expect(of('turn')).toMatchObject([
      { sessionId: 'user-42', responseId: 'resp_1', model: 'gpt-4.1', mode: 'chain' },
    ]);
    expect(runtime.stats().turns).toBe(1);
  });
});

/** A rollout that notes what it is asked. */
const asking = () => {
  const asked: RolloutContext[] = [];
  const rollout = (about: RolloutContext): 'rebuild' => {
    asked.push(about);
    return 'rebuild';
  };
  return { asked, rollout };
};

describe('the mode of a turn', () => {
  it('the mode is decided for each turn, and stays until the next one begins', async () => {
    const { asked, rollout } = asking();
    const { runtime, append, problems } = local({ rollout });
    const modes: string[] = [];
    const note = async (_open: OpenSession, mode: string): Promise<void> => void modes.push(mode);
    await runtime.run(note);
    await runtime.run(note);
    expect(asked).toEqual([{ sessionId: 'user-42', model: undefined }]);
    await append(
      { type: 'response', id: 'resp_1', store: true, model: 'gpt-4.1' },
      { type: 'response', id: 'resp_2', store: true, model: 'gpt-5.4' },
    );
    await runtime.run(({ ledger }) => ledger.read({ fresh: true }));
    await runtime.run(note, { begins: true });
    expect(asked.slice(1)).toEqual([{ sessionId: 'user-42', model: 'gpt-5.4' }]);
    await withPort(runtime.responses, () => runtime.run(note, { begins: true }), { model: 'own' });
    expect(asked.slice(2)).toEqual([{ sessionId: 'user-42', model: 'own' }]);
    expect(modes).toEqual(['rebuild', 'rebuild', 'rebuild', 'rebuild']);
    expect(problems()).toEqual([]);
  });

  it('the mode is decided at the first request of a resumed run', async () => {
    const { asked, rollout } = asking();
    const { runtime } = local({ rollout });
    expect((await runtime.responses.view('tail')).enabled).toBe(false);
    expect(asked).toHaveLength(1);
  });

  it('a rollout that fails is told, with the mode in its place', async () => {
    const { runtime, problems } = local({ rollout: failing });
    expect(await runtime.run(async (_open, mode) => mode)).toBe('chain');
    expect(problems()).toEqual([
      {
        type: 'warning',
        sessionId: 'user-42',
        code: 'rollout_failed',
        mode: 'chain',
        reason: 'threw',
        cause: 'RangeError',
      },
    ]);
  });
});

describe('a session that has not begun', () => {
  it('a session without a name runs nothing that needs one', async () => {
    const { runtime, simulator } = world();
    const requests = await requestsOf(simulator, async () => {
      expect(await runtime.runIfBegun(async () => 'ran')).toBeUndefined();
      expect(await runtime.maintainIfBegun(async () => 'ran')).toBeUndefined();
      await runtime.unload();
    });
    expect(requests).toEqual([]);
    expect([runtime.sessionId, runtime.conversationId, runtime.opened]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it.each([{ sessionId: 'user-42' }, { conversationId: 'conv_1' }])(
    'a session has begun with %j',
    async (names) => {
      const { runtimeOf } = world();
      const options = 'conversationId' in names ? { ...names } : { ...names, mirror: 'off' as const };
      expect(await runtimeOf(options).maintainIfBegun(async () => 'ran')).toBe('ran');
      expect(await runtimeOf(options).runIfBegun(async () => 'ran')).toBe('ran');
    },
  );

  it('a session without a name has begun with its first use', async () => {
    const { runtime, simulator } = world();
    const [id] = await Promise.all([
      runtime.run(async ({ sessionId }) => sessionId),
      runtime.runIfBegun(nothing),
    ]);
    expect(await runtime.runIfBegun(async ({ sessionId }) => sessionId)).toBe(id);
    expect(runtime.sessionId).toBe(id);
    expect(runtime.conversationId).toBe(id);
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });

  it('a use that could not begin is tried again by the next one', async () => {
    const { runtime, simulator } = world();
    simulator.fault('conversations.create', { status: 500, times: 1 });
    await expect(runtime.run(nothing)).rejects.toMatchObject({ status: 500 });
    expect(await runtime.runIfBegun(async () => 'ran')).toBeUndefined();
    expect(await runtime.run(async () => 'ran')).toBe('ran');
  });
});

describe('the calls of a session', () => {
  it('work beside the session comes after all earlier calls, and gets its names', async () => {
    const { runtime } = local();
    const { promise, resolve } = deferred<void>();
    const order: string[] = [];
    const first = runtime.run(async () => {
      await promise;
      order.push('first');
    });
    const beside = runtime.aside(async (names) => {
      order.push('beside');
      return names;
    });
    resolve();
    expect(await beside).toEqual({ sessionId: 'user-42', conversationId: undefined });
    await first;
    expect(order).toEqual(['first', 'beside']);
  });

  it('a call that is refused leaves the next one alone', async () => {
    const { runtime } = local();
    await expect(runtime.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await runtime.run(async () => 'ran')).toBe('ran');
  });

  it('a released history is read again', async () => {
    const { runtime, append } = local();
    await append(itemsOf(user('one')));
    await runtime.run(({ ledger }) => ledger.read());
    expect(runtime.opened?.ledger.bytes).toBeGreaterThan(0);
    await runtime.unload();
    expect(runtime.opened?.ledger.bytes).toBe(0);
    expect(await runtime.run(async ({ ledger }) => (await ledger.read()).entries.length)).toBe(1);
  });

  it('each call tells how much memory its history takes', async () => {
    const { runtime, append } = local({ advanced: { cache: { maxBytes: 1_000_000 } } });
    await append(itemsOf(user('one')));
    const used: [unknown, number][] = [];
    runtime.options.loaded.used = (holder, bytes) => void used.push([holder, bytes]);
    await runtime.run(({ ledger }) => ledger.read());
    await runtime.run(() => Promise.reject(new Error('no'))).catch(() => undefined);
    const bytes = runtime.opened?.ledger.bytes;
    expect(used).toEqual([
      [runtime, bytes],
      [runtime, bytes],
    ]);
  });

  it('a session without a conversation gets one with its first write, and keeps it', async () => {
    const { runtime, simulator } = world({ sessionId: 'user-42' });
    expect(await runtime.run(conversationOf)).toBeUndefined();
    const written = await runtime.run(conversationOf, { writes: true });
    expect(written).toMatch(/^conv_/);
    expect(await runtime.run(conversationOf)).toBe(written);
    expect(await runtime.maintainIfBegun(conversationOf, { writes: true })).toBe(written);
    expect(simulator.snapshot().conversations).toHaveLength(1);
  });

  it('a session of a server without conversations is not opened again for each write', async () => {
    const { runtime, simulator } = world({ sessionId: 'user-42', mirror: 'background' });
    simulator.fault('conversations.create', { status: 501 });
    await runtime.run(nothing, { writes: true });
    const requests = await requestsOf(simulator, () => runtime.run(nothing, { writes: true }));
    expect(requests).toEqual([]);
  });

  it('a call whose conversation was replaced runs again in the next one', async () => {
    const { runtime, append, of } = world({ sessionId: 'user-42' });
    await append({ type: 'conversation', id: 'conv_1' }, itemsOf(user('one')));
    const seen: (string | undefined)[] = [];
    await runtime.run(async (open) => {
      seen.push(await conversationOf(open));
      if (seen.length > 1) return;
      await append({ type: 'conversation', id: 'conv_2' });
      throw new ConversationReplaced('conv_2');
    });
    expect(seen).toEqual(['conv_1', 'conv_2']);
    expect(runtime.conversationId).toBe('conv_2');
    expect(of('conversation_changed')).toEqual([
      { type: 'conversation_changed', sessionId: 'user-42', conversationId: 'conv_2' },
    ]);
  });

  it('a change of the conversation is told once, and the first one is no change', () => {
    const { runtime, of } = local();
    for (const id of ['conv_1', 'conv_1', 'conv_2', 'conv_2', 'conv_1']) runtime.changedTo(id, 'user-42');
    expect(of('conversation_changed').map(({ conversationId }) => conversationId)).toEqual([
      'conv_2',
      'conv_1',
    ]);
    expect(runtime.conversationId).toBe('conv_1');
  });

  it('an ended session begins anew under the names that it is given', async () => {
    const { runtime } = local();
    await runtime.run(nothing);
    runtime.responses.lost(['rs_1']);
    runtime.end({ sessionId: 'user-43', conversationId: undefined });
    expect([runtime.opened, runtime.conversationId]).toEqual([undefined, undefined]);
    expect(await runtime.run(async ({ sessionId }) => sessionId)).toBe('user-43');
    expect((await runtime.responses.view('tail')).isRefused('rs_1')).toBe(false);
  });

  it('an ended session without other names begins under its own', async () => {
    const { runtime } = local();
    runtime.changedTo('conv_1', 'user-42');
    runtime.end();
    expect(runtime.conversationId).toBeUndefined();
    expect(await runtime.run(async ({ sessionId }) => sessionId)).toBe('user-42');
  });

  it('a session that ends while it is opened is not opened by that', async () => {
    const { runtime, store } = local();
    const { promise, resolve } = deferred<void>();
    const before = { ...store };
    store.checkpoint = async (id) => {
      await promise;
      return before.checkpoint(id);
    };
    const opening = runtime.run(nothing);
    await Promise.resolve();
    runtime.end({ sessionId: 'user-43', conversationId: undefined });
    resolve();
    await opening;
    expect(runtime.opened).toBeUndefined();
  });
});

describe('the bookmark of a session that is opened', () => {
  it.each([
    [true, 'conv_known', []],
    [true, 'a new one', ['conversations.retrieve']],
    [false, 'a new one', []],
  ] as const)(
    'a bookmark (%s) is asked for only if the ledger does not know %s',
    async (bookmark, which, expected) => {
      const { client, runtimeOf, simulator, append } = world();
      const { id } = await client.conversations.create({});
      if (which === 'conv_known') await append({ type: 'conversation', id }, itemsOf(user('one')));
      const runtime = runtimeOf({ sessionId: 'user-42', conversationId: id, bookmark });
      expect(await requestsOf(simulator, () => runtime.run(nothing))).toEqual(expected);
    },
  );

  it('a new conversation has no bookmark to ask for', async () => {
    const { runtimeOf, simulator } = world();
    const runtime = runtimeOf({ bookmark: true });
    expect(await requestsOf(simulator, () => runtime.run(nothing))).toEqual([
      'conversations.create',
      'conversations.create',
    ]);
  });
});

describe('an item for a model', () => {
  const foreign: AgentInputItem = { type: 'reasoning', id: 'other_1', content: [] };
  const own: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
  const made = { ...assistant('1', 'msg_1'), providerData: { model: 'claude' } } as AgentInputItem;

  it('an item that a model cannot read is left out', () => {
    const { runtime } = local();
    expect(runtime.forNextModel(own)).toMatchObject({ type: 'reasoning', id: 'rs_1' });
    expect(runtime.forNextModel(own, new Set(['rs_1']))).toBeUndefined();
    runtime.unreplayable = new Set(['rs_1']);
    expect(runtime.forNextModel(own)).toBeUndefined();
    expect(runtime.forNextModel(user('one'))).toMatchObject(user('one'));
  });

  it('items of other providers are adapted by the model boundary alone', () => {
    const { runtime } = local();
    const bare = runtime.forNextModel(made);
    expect(bare).not.toHaveProperty('id');
    expect(bare?.providerData).toEqual({});
    expect(runtime.forNextModel(foreign)).toBeUndefined();
    for (const isBoundaryInUse of [true, false])
      withPort(
        runtime.responses,
        () => {
          expect(runtime.forNextModel(made)?.providerData).toEqual(
            isBoundaryInUse ? { model: 'claude' } : {},
          );
          expect(runtime.forNextModel(foreign) === undefined).toBe(!isBoundaryInUse);
        },
        { isBoundaryInUse },
      );
  });

  it('an item of the served list is prepared as the stock session does', async () => {
    const { runtimeOf } = world();
    const listed = runtimeOf({ rollout: 'off' });
    const before = listed.forModelInput(foreign);
    expect(before).toBeUndefined();
    await listed.run(nothing);
    expect(listed.forModelInput(foreign)).toMatchObject({ type: 'reasoning' });
    const rebuilt = runtimeOf({ rollout: 'rebuild' });
    await rebuilt.run(nothing);
    expect(rebuilt.forModelInput(foreign)).toBeUndefined();
  });

  it('a list that is not there is served like the ledger', async () => {
    const { runtimeOf } = world();
    const runtime = runtimeOf({ sessionId: 'user-42', rollout: 'off' });
    await runtime.run(nothing);
    expect(runtime.opened?.conversation).toBeUndefined();
    expect(runtime.forModelInput(foreign)).toBeUndefined();
  });
});

describe('the state of a request', () => {
  it('a request gives a session no conversation', async () => {
    const { runtime, simulator } = world({ sessionId: 'user-42' });
    expect(await requestsOf(simulator, () => runtime.responses.view('tail'))).toEqual([]);
    expect(runtime.opened?.isMirrored).toBe(true);
    expect(runtime.conversationId).toBeUndefined();
  });

  it('a session whose conversation is gone tells of no other one', async () => {
    const { runtime, of } = world({ sessionId: 'user-42' });
    runtime.changedTo('conv_1', 'user-42');
    await runtime.run(nothing);
    expect(of('conversation_changed')).toEqual([]);
    expect(runtime.conversationId).toBe('conv_1');
  });

  it('a request opens the session, and sees its newest responses', async () => {
    const { runtime, append } = local();
    await append(itemsOf(user('one')));
    const digest = await runtime.run(async ({ ledger }) => digestOf(await ledger.read()));
    await append({ type: 'response', id: 'resp_1', store: true, context: { length: 1, digest } });
    expect((await runtime.responses.view('newest')).candidates(digest)).toMatchObject([{ id: 'resp_1' }]);
  });
});
