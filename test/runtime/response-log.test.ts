import { expect, test } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { CompletedResponse } from '../../src/chaining/port.ts';
import { keepUnattributedResponse } from '../../src/chaining/attribution.ts';
import type { Mode } from '../../src/rollout/mode.ts';
import { ResponseLog } from '../../src/runtime/response-log.ts';
import type { HybridSessionEvent } from '../../src/telemetry/events.ts';
import { Span } from '../../src/telemetry/span.ts';
import { noHistory } from '../chaining/known-port.ts';
import { memoryLedger } from '../../src/stores/memory.ts';

interface Kept {
  readonly log: ResponseLog;
  readonly ledger: Ledger;
  readonly events: HybridSessionEvent[];
  /** What the runner does when a turn has ended with a response. */
  readonly end: (id: string, store?: boolean) => Promise<void>;
}

function kept(mode: Mode = 'chain', store = memoryLedger()): Kept {
  const ledger = new Ledger({ store, sessionId: 'session', now: () => 1 });
  const events: HybridSessionEvent[] = [];
  const log = new ResponseLog({
    client: undefined,
    responseTtl: 1000,
    history: noHistory,
    current: async () => ({ sessionId: 'session', ledger, mode }),
    emit: (event) => void events.push(event),
    beginSpan: () => new Span([]),
    compact: async () => false,
    uncompact: async () => [],
    serverThreshold: undefined,
    planned: (one) => one,
  });
  const end = async (id: string, stored?: boolean): Promise<void> => {
    await ledger.append((state) => log.steps(state, id, stored));
  };
  return { log, ledger, events, end };
}

const answer = (id: string, fields: Partial<CompletedResponse> = {}): CompletedResponse => ({
  id,
  time: 1,
  store: true,
  model: 'gpt-4.1',
  parent: undefined,
  context: { length: 1, digest: `end of ${id}` },
  lineage: [],
  ...fields,
});

const recorded = async ({ ledger }: Kept): Promise<string[]> =>
  (await ledger.read()).responses.map(({ id }) => id);

test('the response log offers responses of the current turn, newest first, before those of the ledger', async () => {
  const session = kept();
  const same = { context: { length: 1, digest: 'same' } };
  session.log.answered(answer('a', same));
  await session.end('a');
  session.log.answered(answer('b', same));
  session.log.answered(answer('c', same));
  const view = await session.log.view('all');
  expect(view.candidates('same').map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(view.unrecorded('same')).toEqual(['c', 'b']);
  expect(view.candidates('another')).toEqual([]);
});

test('the response log records a response with the earlier responses of its turn only', async () => {
  const session = kept();
  session.log.answered(answer('step 1'));
  session.log.answered(answer('somebody else'));
  session.log.answered(answer('step 2', { parent: 'step 1', lineage: ['step 1'] }));
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
});

test('the response log forgets all responses before a recorded one', async () => {
  const session = kept();
  for (let index = 0; index < 50; index += 1) session.log.answered(answer(`failed ${index}`));
  session.log.answered(answer('last'));
  await session.end('last');
  session.log.answered(answer('of the next turn'));
  const view = await session.log.view('all');
  expect(view.candidates('end of failed 49')).toEqual([]);
  expect(view.candidates('end of last')).toHaveLength(1);
  expect(view.unrecorded('end of of the next turn')).toEqual(['of the next turn']);
});

test('the response log keeps at most a thousand responses of unfinished turns', async () => {
  const session = kept();
  for (let index = 0; index <= 1000; index += 1) session.log.answered(answer(`${index}`));
  const view = await session.log.view('all');
  expect(view.candidates('end of 0')).toEqual([]);
  expect(view.candidates('end of 1')).toHaveLength(1);
});

test('the response log records an unattributed response that the runner names', async () => {
  const session = kept();
  keepUnattributedResponse(answer('left', { store: false }));
  await session.end('left');
  expect((await session.ledger.read()).responses).toMatchObject([
    { id: 'left', store: false, context: { digest: 'end of left' } },
  ]);
});

test('the response log records only the ID of an unseen response', async () => {
  const session = kept();
  await session.end('unseen');
  await session.end('unstored', false);
  expect((await session.ledger.read()).responses).toMatchObject([
    { id: 'unseen', store: true, context: undefined },
    { id: 'unstored', store: false, context: undefined },
  ]);
  expect((await session.log.view('all')).empty).toBe(true);
});

test('the response log remembers a refused parent across processes', async () => {
  const store = memoryLedger();
  const session = kept('chain', store);
  session.log.answered(answer('a'));
  await session.end('a');
  await session.log.view('all');
  session.log.refused('a', 'not found', true);
  expect((await session.log.view('all')).isRefused('a')).toBe(true);
  session.log.answered(answer('b'));
  await session.end('b');
  expect((await kept('chain', store).log.view('all')).isRefused('a')).toBe(true);
  expect((await kept('chain', store).log.view('all')).isRefused('b')).toBe(false);
  expect(session.events).toEqual([
    { type: 'warning', code: 'parent_refused', sessionId: 'session', ids: ['a'], reason: 'not found' },
  ]);
});

test.each<[Mode, boolean]>([
  ['off', false],
  ['shadow', false],
  ['rebuild', false],
  ['chain', true],
])('a response may be continued in mode %s: %s', async (mode, enabled) => {
  expect((await kept(mode).log.view('all')).enabled).toBe(enabled);
});

test('the response log forgets everything after a clear', async () => {
  const session = kept();
  session.log.answered(answer('a'));
  session.log.refused('b', 'expired', true);
  session.log.clear();
  const view = await session.log.view('all');
  expect(view.empty).toBe(true);
  expect(view.isRefused('b')).toBe(false);
});
