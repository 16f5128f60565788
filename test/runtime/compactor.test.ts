import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { digestOf } from '../../src/ledger/state.ts';
import { seenDigest, seenHistory, seenLength } from '../../src/ledger/view.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { Compactor } from '../../src/runtime/compaction/compactor.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { SessionRuntime } from '../../src/runtime/runtime.ts';
import { Telemetry } from '../../src/telemetry/span.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { recorder } from '../flows/support/story.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';
import { clientOn } from '../support/fake-client.ts';
import { turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' };
const TOO_LONG = { status: 400, code: 'context_length_exceeded', message: 'too long' };

interface Failure {
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
}

interface Body {
  readonly model: string;
  readonly previous_response_id?: string;
  readonly input?: readonly object[];
}

interface Given extends HybridSessionOptions {
  /** The refusals of the first compactions. */
  readonly failures?: readonly Failure[];
  /** The stored responses by ID. */
  readonly stored?: Readonly<Record<string, unknown>>;
  /** What the answer to a compaction holds. */
  readonly output?: readonly object[];
  /** What happens before a compaction is answered. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** The compactor of a session with these items, and a server that compacts. */
async function compacting(items: readonly AgentInputItem[], given: Given = {}) {
  const { failures = [], stored = {}, output = [COMPACTION], meanwhile, ...options } = given;
  const store: LedgerStore = memoryLedger();
  const ledger = new Ledger({ store: elsewhere(store), sessionId: 'user-42' });
  const append = (steps: readonly LedgerStep[]): Promise<unknown> => ledger.append(() => [...steps]);
  const say = (...said: readonly AgentInputItem[]): Promise<unknown> =>
    append([{ type: 'items', items: said.map((item) => ledgerItem(item, true)) }]);
  if (items.length > 0) await say(...items);
  const bodies: Body[] = [];
  const retrieved: string[] = [];
  const client = clientOn(async (url, init) => {
    const id = url.pathname.split('/').at(-1) ?? '';
    if (id !== 'compact') {
      retrieved.push(id);
      return id in stored ? Response.json(stored[id]) : Response.json({ error: {} }, { status: 404 });
    }
    const { status, ...error } = failures[bodies.length] ?? {};
    bodies.push(JSON.parse(typeof init?.body === 'string' ? init.body : '{}'));
    if (status !== undefined) return Response.json({ error }, { status });
    await meanwhile?.();
    return Response.json({ output, usage: { input_tokens: 120, output_tokens: 30 } });
  });
  const told = recorder();
  const runtime = new SessionRuntime(
    resolveOptions({
      client,
      ledger: store,
      mirror: 'off',
      sessionId: 'user-42',
      onEvent: told.onEvent,
      ...options,
    }),
  );
  /** Records a response whose context is the history of the first items that a model sees. */
  const answered = (
    id: string,
    more: { store?: boolean; model?: string; time?: number; count?: number } = {},
  ): Promise<unknown> =>
    ledger.append((state) => {
      const { count = seenHistory(state).entries.length, store: isStored = true, model, time } = more;
      const context = { length: count, digest: seenHistory(state).contextAt(count) };
      return [
        {
          type: 'response',
          id,
          store: isStored,
          context,
          ...(model === undefined ? {} : { model }),
          ...(time === undefined ? {} : { time }),
        },
      ];
    });
  /** What a model sees: the type of a compaction, or the text of a message. */
  const shown = async (): Promise<(string | undefined)[]> => {
    const state = await new Ledger({ store: elsewhere(store), sessionId: 'user-42' }).read();
    const kept = state.views.at(-1)?.items ?? [];
    return [...kept, ...seenHistory(state).entries].map(({ item, kind }) =>
      item !== undefined && 'content' in item ? texts([item])[0] : kind,
    );
  };
  return {
    ...told,
    runtime,
    compactor: runtime.compactor,
    store,
    ledger,
    bodies,
    retrieved,
    shown,
    append,
    say,
    answered,
  };
}

/** A message of the user that an answer keeps. */
const kept = (text: string): object => ({
  id: `msg_${text}`,
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text }],
});

const FIRST = [user('one'), assistant('1')];
const SECOND = [user('two'), assistant('2')];
const THIRD = [user('three'), assistant('3')];
const FOURTH = [user('four'), assistant('4')];
const gpt = { history: { compaction: { model: 'gpt-4.1' } } } as const;

/** The number of items in each request for a compaction. */
const sizes = (bodies: readonly Body[]): (number | undefined)[] => bodies.map(({ input }) => input?.length);

/** The records of compactions. */
const viewsIn = async (store: LedgerStore): Promise<unknown[]> =>
  (await store.read('user-42', 0, 100)).records.filter(({ type }) => type === 'view');

describe('a compaction', () => {
  it('the tokens are told to the caller and in the event, with the items before and after', async () => {
    const { compactor, of, shown } = await compacting([...FIRST, user('and?')], gpt);
    expect(await compactor.compact()).toEqual({
      usage: expect.objectContaining({ inputTokens: 120, outputTokens: 30, totalTokens: 150 }),
    });
    expect(of('compacted')).toEqual([
      {
        type: 'compacted',
        sessionId: 'user-42',
        items: { before: 3, after: 2 },
        tokens: { before: 120, after: 30 },
      },
    ]);
    expect(await shown()).toEqual(['compaction', 'and?']);
  });

  it('the event counts what a shorter beginning leaves', async () => {
    const { compactor, of, shown } = await compacting([...FIRST, ...SECOND, user('and?')], {
      ...gpt,
      failures: [TOO_LONG],
    });
    await compactor.compact();
    expect(of('compacted')).toMatchObject([{ items: { before: 5, after: 4 } }]);
    expect(await shown()).toEqual(['compaction', 'two', '2', 'and?']);
  });

  it('an answer without counts has none', async () => {
    const client = clientOn(() => Response.json({ output: [COMPACTION] }));
    const { compactor } = await compacting(FIRST, { ...gpt, client });
    expect(await compactor.compact()).toMatchObject({ usage: { totalTokens: 0 } });
  });

  it('later reads begin at the record of a compaction, or at that of the oldest item that it leaves', async () => {
    const whole = await compacting(FIRST, gpt);
    const { nextSeq, version, ...before } = await whole.ledger.read();
    await whole.compactor.compact();
    expect(await viewsIn(whole.store)).toMatchObject([{ from: 2, items: [{ kind: 'compaction' }] }]);
    const digest = before.entries.at(-1)?.context;
    // The lease comes first.
    expect((await whole.store.checkpoint('user-42'))?.seen?.begins).toEqual({
      at: version + 1,
      length: 2,
      digest,
      nextSeq,
    });
    const part = await compacting(FIRST, gpt);
    await part.say(user('and?'));
    await part.compactor.compact();
    expect(await viewsIn(part.store)).toMatchObject([{ from: 3, left: [2] }]);
    expect((await part.store.checkpoint('user-42'))?.seen?.begins).toEqual({
      at: version,
      length: 2,
      digest,
      nextSeq: 2,
    });
  });

  it.each([
    ['mode', { rollout: 'off', mirror: 'await', bookmark: false }],
    ['content_not_kept', { keepContent: false, mirror: 'await', bookmark: false }],
  ] as const)('a history is refused for the reason %s before any request', async (reason, options) => {
    const { compactor, bodies } = await compacting(FIRST, options);
    await expect(compactor.compact()).rejects.toMatchObject({ reason, sessionId: 'user-42' });
    expect(bodies).toEqual([]);
  });

  it.each([
    ['nothing', []],
    ['a question', [user('one')]],
  ])('a history with %s has nothing to compact', async (_name, items) => {
    const { compactor } = await compacting(items, gpt);
    await expect(compactor.compact()).rejects.toMatchObject({ reason: 'nothing_to_compact' });
  });

  it('a session that has not begun has nothing to compact', async () => {
    const session = new SessionRuntime(resolveOptions({ client: clientOn(() => Response.error()) }));
    await expect(session.compactor.compact()).rejects.toMatchObject({
      reason: 'nothing_to_compact',
      sessionId: '',
    });
  });

  it('items of another process are in the compaction', async () => {
    const { compactor, runtime, say, bodies, shown } = await compacting(FIRST, gpt);
    await runtime.run(({ ledger }) => ledger.read());
    await say(...SECOND);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([4]);
    expect(await shown()).toEqual(['compaction']);
  });

  it.each<[string, LedgerStep, number]>([
    ['that the server refused', { type: 'refused', id: 'rs_1' }, 2],
    ['of an unstored response', { type: 'response', id: 'resp_1', store: false }, 2],
    ['of a stored response', { type: 'response', id: 'resp_1', store: true }, 3],
  ])('reasoning %s is compacted with its turn, and sent if the server has it', async (_name, step, sent) => {
    const thought: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
    const { compactor, bodies, shown, append } = await compacting(
      [user('one'), thought, assistant('1')],
      gpt,
    );
    await append([step]);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([sent]);
    expect(await shown()).toEqual(['compaction']);
  });

  it('an earlier compaction is sent with the items behind it', async () => {
    const { compactor, bodies, say, shown } = await compacting(FIRST, gpt);
    await compactor.compact();
    await say(...SECOND);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([2, 3]);
    expect(bodies[1]?.input).toMatchObject([{ type: 'compaction' }, { role: 'user' }, { role: 'assistant' }]);
    expect(await shown()).toEqual(['compaction']);
  });
});

describe('the request for a compaction', () => {
  it('the newest response that has the context is named, with its model', async () => {
    const { compactor, bodies, answered, say } = await compacting(FIRST, {
      output: [kept('one'), COMPACTION],
    });
    await answered('resp_1', { model: 'gpt-4.1' });
    await say(user('and?'));
    await answered('resp_2', { model: 'gpt-5.4' });
    await compactor.compact();
    expect(bodies).toEqual([{ model: 'gpt-4.1', previous_response_id: 'resp_1' }]);
  });

  it('the model of the options comes before that of a response', async () => {
    const { compactor, bodies, answered } = await compacting(FIRST, {
      history: { compaction: { model: 'own' } },
      output: [kept('one'), COMPACTION],
    });
    await answered('resp_1', { model: 'gpt-4.1' });
    await compactor.compact();
    expect(bodies).toEqual([{ model: 'own', previous_response_id: 'resp_1' }]);
  });

  it.each([
    ['unstored', { store: false }],
    ['expired', { time: 1 }],
    ['shorter', { count: 1 }],
  ])('an %s response is not named, but its model is used', async (_name, more) => {
    const { compactor, bodies, answered } = await compacting(FIRST);
    await answered('resp_1', { model: 'gpt-4.1', ...more });
    await compactor.compact();
    expect(bodies).toEqual([{ model: 'gpt-4.1', input: [expect.anything(), expect.anything()] }]);
  });

  it('a refused response is not named', async () => {
    const { compactor, bodies, answered, append } = await compacting(FIRST, gpt);
    await answered('resp_1');
    await append([{ type: 'refused', id: 'resp_1' }]);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([2]);
  });

  it.each([
    ['is gone', { status: 404 }, [undefined, 4]],
    ['is too long', TOO_LONG, [undefined, 2]],
  ])('a response that %s is replaced by items', async (_name, failure, expected) => {
    const made = await compacting([...FIRST, ...SECOND], { ...gpt, failures: [failure] });
    await made.answered('resp_1');
    await made.compactor.compact();
    expect(sizes(made.bodies)).toEqual(expected);
  });

  it('a failure that passes is told, and nothing else is tried', async () => {
    const named = await compacting(FIRST, { ...gpt, failures: [{ status: 500 }] });
    await named.answered('resp_1');
    await expect(named.compactor.compact()).rejects.toMatchObject({ status: 500 });
    expect(sizes(named.bodies)).toEqual([undefined]);
    const byItems = await compacting(FIRST, { ...gpt, failures: [{ status: 500 }] });
    await expect(byItems.compactor.compact()).rejects.toMatchObject({ status: 500 });
    expect(sizes(byItems.bodies)).toEqual([2]);
  });

  it('the model is asked for at the newest response, if that is stored and no model is known', async () => {
    const stored = { resp_1: { id: 'resp_1', model: 'gpt-4.1' } };
    const { compactor, bodies, retrieved, append } = await compacting(FIRST, { stored });
    await append([{ type: 'response', id: 'resp_1', store: true }]);
    await compactor.compact();
    expect(retrieved).toEqual(['resp_1']);
    expect(bodies).toMatchObject([{ model: 'gpt-4.1' }]);
  });

  it.each<[string, LedgerStep[], Record<string, unknown>, string[]]>([
    ['no response', [], {}, []],
    ['an unstored response', [{ type: 'response', id: 'resp_1', store: false }], {}, []],
    ['a response without one', [{ type: 'response', id: 'resp_1', store: true }], { resp_1: {} }, ['resp_1']],
    ['a wrong name', [{ type: 'response', id: 'resp_1', store: true }], { resp_1: { model: 7 } }, ['resp_1']],
    ['a wrong answer', [{ type: 'response', id: 'resp_1', store: true }], { resp_1: [] }, ['resp_1']],
  ])('no model is known from %s', async (_name, steps, stored, asked) => {
    const { compactor, bodies, retrieved, append } = await compacting(FIRST, { stored });
    if (steps.length > 0) await append(steps);
    await expect(compactor.compact()).rejects.toMatchObject({ reason: 'no_model', sessionId: 'user-42' });
    expect(retrieved).toEqual(asked);
    expect(bodies).toEqual([]);
  });
});

describe('the beginning that is compacted', () => {
  it('a shorter beginning is about half as long, down to the first turn', async () => {
    const items = [...FIRST, ...SECOND, ...THIRD, ...FOURTH];
    const { compactor, bodies, shown } = await compacting(items, {
      ...gpt,
      failures: [TOO_LONG, TOO_LONG, TOO_LONG],
    });
    await expect(compactor.compact()).rejects.toMatchObject({
      reason: 'too_long',
      sessionId: 'user-42',
      cause: expect.objectContaining({ message: expect.stringContaining('context_length_exceeded') }),
    });
    expect(sizes(bodies)).toEqual([8, 4, 2]);
    expect(await shown()).toHaveLength(8);
  });

  it('a first turn that is too long is told by how much, where the server tells', async () => {
    const message = 'prompt is too long: 210,000 tokens > 200,000 maximum';
    const { compactor } = await compacting(FIRST, { ...gpt, failures: [{ ...TOO_LONG, message }] });
    await expect(compactor.compact()).rejects.toMatchObject({
      reason: 'too_long',
      tokens: undefined,
      limit: 200_000,
      message: "Cannot compact the history of session 'user-42': too long, the model takes 200000",
    });
  });

  it('a first turn that is longer than the half stays whole', async () => {
    const long = [user('one'), assistant('1'), assistant('2'), assistant('3')];
    const { compactor, bodies, shown } = await compacting([...long, ...SECOND], {
      ...gpt,
      failures: [TOO_LONG],
    });
    await compactor.compact();
    expect(sizes(bodies)).toEqual([6, 4]);
    expect(await shown()).toEqual(['compaction', 'two', '2']);
  });

  it('an earlier compaction is never compacted alone', async () => {
    const kept = { type: 'message', id: 'msg_1', role: 'user', status: 'completed' };
    const output = [{ ...kept, content: [{ type: 'input_text', text: 'kept' }] }, COMPACTION];
    const failures = [undefined, TOO_LONG, undefined, TOO_LONG] as Failure[];
    const { compactor, bodies, say, shown } = await compacting(FIRST, { ...gpt, output, failures });
    await compactor.compact();
    await say(...SECOND, ...THIRD);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([2, 6, 4]);
    expect(await shown()).toEqual(['kept', 'compaction', 'three', '3']);
    await expect(compactor.compact()).rejects.toMatchObject({ reason: 'too_long' });
    expect(sizes(bodies)).toEqual([2, 6, 4, 4]);
  });

  it.each<[string, AgentInputItem[], string[]]>([
    ['a call', [...FIRST, user('two'), call('c1', 'f', {})], ['compaction', 'two', 'function_call']],
    [
      'a call and its result behind another call',
      [...FIRST, user('two'), call('c1', 'f', {}), call('c2', 'f', {}), result('c2', 'f', 'ok')],
      ['compaction', 'two', 'function_call', 'function_call', 'function_call_result'],
    ],
    [
      'a call with its result and no answer',
      [...FIRST, user('two'), call('c1', 'f', {}), result('c1', 'f', 'ok')],
      ['compaction', 'two', 'function_call', 'function_call_result'],
    ],
    [
      'two turns with a call each',
      [...FIRST, user('two'), call('c1', 'f', {}), user('three'), call('c2', 'f', {})],
      ['compaction', 'two', 'function_call', 'three', 'function_call'],
    ],
  ])('%s at the end stays with its question', async (_name, items, expected) => {
    const { compactor, bodies, shown } = await compacting(items, gpt);
    await compactor.compact();
    expect(sizes(bodies)).toEqual([2]);
    expect(await shown()).toEqual(expected);
  });

  it('a call in the only turn leaves nothing to compact', async () => {
    const { compactor } = await compacting([user('one'), call('c1', 'f', {})], gpt);
    await expect(compactor.compact()).rejects.toMatchObject({ reason: 'unanswered_tool_call' });
  });

  it('a call without a result is left out once a later question has its answer', async () => {
    const { compactor, bodies, shown } = await compacting(
      [user('one'), call('c1', 'f', {}), ...SECOND, user('three'), call('c2', 'f', {})],
      gpt,
    );
    await compactor.compact();
    expect(sizes(bodies)).toEqual([3]);
    expect(await shown()).toEqual(['compaction', 'three', 'function_call']);
  });
});

describe('a history that changes during its compaction', () => {
  it('a removed item ends the compaction', async () => {
    const made = await compacting([...FIRST, ...SECOND], {
      ...gpt,
      meanwhile: () => made.append([{ type: 'pop' }]),
    });
    expect(await made.compactor.compact()).toBeUndefined();
    expect(made.of('compacted')).toEqual([]);
    expect(await made.shown()).toEqual(['one', '1', 'two']);
  });

  it('an appended item stays behind the compaction', async () => {
    const made = await compacting(FIRST, { ...gpt, meanwhile: () => made.say(user('two')) });
    expect(await made.compactor.compact()).toBeDefined();
    expect(await made.shown()).toEqual(['compaction', 'two']);
  });

  it('an erased session keeps nothing of the compaction', async () => {
    const made = await compacting(FIRST, {
      ...gpt,
      meanwhile: async () => {
        const { version } = await made.ledger.readAt();
        await made.ledger.delete(version);
        const anew = new Ledger({ store: made.store, sessionId: 'user-42' });
        await anew.append(() => [{ type: 'items', items: SECOND.map((item) => ledgerItem(item, true)) }]);
      },
    });
    expect(await made.compactor.compact()).toBeUndefined();
    expect(await made.shown()).toEqual(['two', '2']);
  });

  it('the second one of two compactions at once waits for the first, and asks nothing', async () => {
    const made = await compacting(FIRST, gpt);
    const [first, second] = await Promise.all([made.compactor.compact(), made.compactor.compact()]);
    expect([first, second].filter((one) => one !== undefined)).toHaveLength(1);
    expect(made.bodies).toHaveLength(1);
    expect(made.of('compacted')).toHaveLength(1);
    expect(await made.shown()).toEqual(['compaction']);
    expect(seenLength(await made.ledger.read({ fresh: true }))).toBe(1);
    expect(seenDigest(await made.ledger.read())).not.toBe(digestOf(await made.ledger.read()));
  });
});

describe('a compaction for a request that was too long', () => {
  it('a session without the option compacts nothing', async () => {
    const { compactor, bodies, answered } = await compacting(FIRST);
    await answered('resp_1', { model: 'gpt-4.1' });
    expect(await compactor.forRequest()).toBe(false);
    expect(bodies).toEqual([]);
  });

  it('a compacted history lets the request be sent again', async () => {
    const { compactor } = await compacting(FIRST, gpt);
    expect(await compactor.forRequest()).toBe(true);
  });

  it('a history that changed meanwhile does not', async () => {
    const made = await compacting(FIRST, { ...gpt, meanwhile: () => made.append([{ type: 'pop' }]) });
    expect(await made.compactor.forRequest()).toBe(false);
    expect(made.problems()).toEqual([]);
  });

  it('a history that is empty is told by nothing', async () => {
    const { compactor, problems } = await compacting([], gpt);
    expect(await compactor.forRequest()).toBe(false);
    expect(problems()).toEqual([]);
  });

  it.each([
    ['a failed request', [...FIRST], { ...gpt, failures: [{ status: 404 }] }, 'Error (404)'],
    ['an unknown model', [...FIRST], { history: { compaction: {} } }, 'no_model'],
    ['an unanswered call', [user('one'), call('c1', 'f', {})], gpt, 'unanswered_tool_call'],
  ] as const)('%s is told, and the request fails as it was', async (_name, items, given, reason) => {
    const { compactor, problems } = await compacting(items, given);
    expect(await compactor.forRequest()).toBe(false);
    expect(problems()).toEqual([
      { type: 'warning', sessionId: 'user-42', code: 'compaction_failed', reason },
    ]);
  });

  it('a failure of a session without a name is told without one', async () => {
    const { onEvent, problems } = recorder();
    const compactor = new Compactor({
      sessionId: undefined,
      options: resolveOptions(gpt),
      telemetry: new Telemetry([{ event: onEvent }]),
      runIfBegun: () => Promise.reject(new TypeError('secret')),
      forNextModel: () => undefined,
    });
    expect(await compactor.forRequest()).toBe(false);
    expect(problems()).toEqual([
      { type: 'warning', sessionId: '', code: 'compaction_failed', reason: 'TypeError' },
    ]);
  });

  it('a first turn that is too long is an error', async () => {
    const { compactor, problems } = await compacting(FIRST, { ...gpt, failures: [TOO_LONG] });
    await expect(compactor.forRequest()).rejects.toMatchObject({ reason: 'too_long' });
    expect(problems()).toEqual([]);
  });
});

/** A session that notes what it is asked after its turns. */
async function asking(answers: readonly boolean[], given: Given = {}) {
  const asked: object[] = [];
  const isDue = (facts: object): boolean => answers[asked.push(facts) - 1] ?? false;
  const made = await compacting([...FIRST, ...SECOND], { ...given, history: { compaction: isDue } });
  await made.answered('resp_1', { model: 'gpt-4.1' });
  return { ...made, asked };
}

describe('a compaction after a turn', () => {
  it('the function is asked when the run has its response, with the size of what a model sees', async () => {
    const { compactor, asked, say, runtime } = await asking([true]);
    compactor.afterTurn('resp_1', 70);
    expect(asked).toEqual([]);
    await compactor.idle();
    expect(asked).toEqual([{ tokens: 70, items: 4, turns: 2 }]);
    await say(...THIRD);
    await runtime.run(({ ledger }) => ledger.read({ fresh: true }));
    compactor.afterTurn('resp_2', 80);
    await compactor.idle();
    expect(asked[1]).toEqual({ tokens: 80, items: 3, turns: 1 });
  });

  it('the function is not asked again before it has answered', async () => {
    const { compactor, asked, bodies } = await asking([true, true], {
      output: [kept('two'), COMPACTION],
    });
    compactor.afterTurn('resp_1', 1);
    compactor.afterTurn('resp_1', 2);
    await compactor.idle();
    expect(asked).toHaveLength(1);
    expect(bodies).toHaveLength(1);
    compactor.afterTurn('resp_1', 3);
    await compactor.idle();
    expect(asked).toHaveLength(2);
  });

  it('a turn that is not long is not compacted', async () => {
    const { compactor, bodies } = await asking([false]);
    compactor.afterTurn('resp_1', 1);
    await compactor.idle();
    expect(bodies).toEqual([]);
  });

  it('two compactions without progress are the last ones, until a turn is short enough', async () => {
    const { compactor, of, say } = await asking([true, true, true, false, true, true, true]);
    const compacted: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      await say(user(`question ${turn}`), assistant(`answer ${turn}`));
      compactor.afterTurn('resp_1', 1);
      await compactor.idle();
      compacted.push(of('compacted').length);
    }
    expect(compacted).toEqual([1, 2, 2, 2, 3, 4, 4]);
  });

  it.each<[string, unknown, number | undefined]>([
    ['both', { usage: { input_tokens: 5, output_tokens: 3 } }, 8],
    ['no output', { usage: { input_tokens: 5 } }, undefined],
    ['no input', { usage: { output_tokens: 3 } }, undefined],
    ['nothing', {}, undefined],
    ['no object', [], undefined],
  ])('unknown tokens are asked for at the response: %s', async (_name, body, tokens) => {
    const { compactor, asked, retrieved } = await asking([false], { stored: { resp_1: body } });
    compactor.afterTurn('resp_1', undefined);
    await compactor.idle();
    expect(retrieved).toEqual(['resp_1']);
    expect(asked).toEqual([{ tokens, items: 4, turns: 2 }]);
  });

  it('known tokens are not asked for', async () => {
    const { compactor, retrieved } = await asking([false]);
    compactor.afterTurn('resp_1', 0);
    await compactor.idle();
    expect(retrieved).toEqual([]);
  });

  it('a failure is told by its reason, and the next turn is asked for again', async () => {
    const { compactor, asked, problems } = await asking([true, false], { failures: [{ status: 500 }] });
    compactor.afterTurn('resp_1', 1);
    await compactor.idle();
    expect(problems()).toEqual([
      {
        type: 'warning',
        sessionId: 'user-42',
        code: 'compaction_failed',
        reason: 'Error (500)',
      },
    ]);
    compactor.afterTurn('resp_1', 1);
    await compactor.idle();
    expect(asked).toHaveLength(2);
  });

  it('a session without a function is asked nothing, and one whose list is served neither', async () => {
    const none = await compacting(FIRST, gpt);
    none.compactor.afterTurn('resp_1', undefined);
    await none.compactor.idle();
    expect(none.retrieved).toEqual([]);
    const listed = await asking([true], { rollout: 'shadow', mirror: 'await', bookmark: false });
    listed.compactor.afterTurn('resp_1', undefined);
    await listed.compactor.idle();
    expect(listed.asked).toEqual([]);
    expect(listed.retrieved).not.toContain('resp_1');
  });

  it('nothing is under way before the first turn', async () => {
    const { compactor } = await compacting(FIRST);
    await compactor.idle();
    await turns(1);
    expect(await compactor.idle()).toBeUndefined();
  });
});
