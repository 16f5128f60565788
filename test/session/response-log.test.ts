import { expect, test } from 'vitest';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { Answer } from '../../src/model/chain.ts';
import { leaveAnswer } from '../../src/model/unclaimed-answers.ts';
import type { Mode } from '../../src/rollout/mode.ts';
import { ResponseLog } from '../../src/session/response-log.ts';
import type { HybridSessionEvent } from '../../src/telemetry/session-event.ts';
import { Watch } from '../../src/telemetry/telemetry.ts';
import { noHistory } from '../model/known-chain.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';

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
    watch: () => new Watch([]),
    planned: (one) => one,
  });
  const end = async (id: string, stored?: boolean): Promise<void> => {
    await ledger.commit((state) => log.steps(state, id, stored));
  };
  return { log, ledger, events, end };
}

const answer = (id: string, fields: Partial<Answer> = {}): Answer => ({
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
  (await ledger.state()).responses.map(({ id }) => id);

test('offers the answers of the turn under way, the newest first, and then those of the ledger', async () => {
  const session = kept();
  const same = { context: { length: 1, digest: 'same' } };
  session.log.answered(answer('a', same));
  await session.end('a');
  session.log.answered(answer('b', same));
  session.log.answered(answer('c', same));
  const view = await session.log.view('whole');
  expect(view.candidates('same').map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(view.unrecorded('same')).toEqual(['c', 'b']);
  expect(view.candidates('another')).toEqual([]);
});

test('records an answer together with the earlier steps of its turn, and nothing else', async () => {
  const session = kept();
  session.log.answered(answer('step 1'));
  session.log.answered(answer('somebody else'));
  session.log.answered(answer('step 2', { parent: 'step 1', lineage: ['step 1'] }));
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
});

test('forgets what came before an answer that was recorded', async () => {
  const session = kept();
  for (let index = 0; index < 50; index += 1) session.log.answered(answer(`failed ${index}`));
  session.log.answered(answer('last'));
  await session.end('last');
  session.log.answered(answer('of the next turn'));
  const view = await session.log.view('whole');
  expect(view.candidates('end of failed 49')).toEqual([]);
  expect(view.candidates('end of last')).toHaveLength(1);
  expect(view.unrecorded('end of of the next turn')).toEqual(['of the next turn']);
});

test('keeps no more than a thousand answers of turns that never end', async () => {
  const session = kept();
  for (let index = 0; index <= 1000; index += 1) session.log.answered(answer(`${index}`));
  const view = await session.log.view('whole');
  expect(view.candidates('end of 0')).toEqual([]);
  expect(view.candidates('end of 1')).toHaveLength(1);
});

test('records an answer that was left for whoever is told of it', async () => {
  const session = kept();
  leaveAnswer(answer('left', { store: false }));
  await session.end('left');
  expect((await session.ledger.state()).responses).toMatchObject([
    { id: 'left', store: false, context: { digest: 'end of left' } },
  ]);
});

test('records the ID alone where nobody saw the answer', async () => {
  const session = kept();
  await session.end('unseen');
  await session.end('unstored', false);
  expect((await session.ledger.state()).responses).toMatchObject([
    { id: 'unseen', store: true, context: undefined },
    { id: 'unstored', store: false, context: undefined },
  ]);
  expect((await session.log.view('whole')).empty).toBe(true);
});

test('remembers a refused parent, also in another process', async () => {
  const store = memoryLedger();
  const session = kept('chain', store);
  session.log.answered(answer('a'));
  await session.end('a');
  await session.log.view('whole');
  session.log.refused('a', 'not found');
  expect((await session.log.view('whole')).isRefused('a')).toBe(true);
  session.log.answered(answer('b'));
  await session.end('b');
  expect((await kept('chain', store).log.view('whole')).isRefused('a')).toBe(true);
  expect((await kept('chain', store).log.view('whole')).isRefused('b')).toBe(false);
  expect(session.events).toEqual([
    { type: 'parent_refused', sessionId: 'session', parentId: 'a', reason: 'not found' },
  ]);
});

test.each<[Mode, boolean]>([
  ['off', false],
  ['shadow', false],
  ['rebuild', false],
  ['chain', true],
])('may be continued from in mode %s: %s', async (mode, enabled) => {
  expect((await kept(mode).log.view('whole')).enabled).toBe(enabled);
});

test('forgets everything when the history begins anew', async () => {
  const session = kept();
  session.log.answered(answer('a'));
  session.log.refused('b', 'expired');
  session.log.clear();
  const view = await session.log.view('whole');
  expect(view.empty).toBe(true);
  expect(view.isRefused('b')).toBe(false);
});
