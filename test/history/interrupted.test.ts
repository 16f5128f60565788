import { describe, expect, it } from 'vitest';
import { continuingSteps, resettlingSteps } from '../../src/history/interrupted.ts';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerItem } from '../../src/ledger/record.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

const INTERRUPTED = 'interrupted';
const TURN = [user('find'), call('call_1', 'find', {})];

const stored = (items: Parameters<typeof ledgerItem>[0][]): LedgerItem[] =>
  items.map((item) => ledgerItem(item, true));

/** A history in which another process has settled the run `settled`, and then has these items. */
async function history(...later: Parameters<typeof ledgerItem>[0][]): Promise<Ledger> {
  const ledger = new Ledger({ store: memoryLedger(), sessionId: 'session' });
  const items = stored([...TURN, result('call_1', 'find', INTERRUPTED)]);
  await ledger.append(() => [
    { type: 'items', items },
    {
      type: 'draft',
      run: 'settled',
      keep: 0,
      items: [],
      responses: [],
      ended: true,
      interrupted: { reason: 'abandoned', items: 3, made: 1 },
    },
  ]);
  if (later.length > 0) await ledger.append(() => [{ type: 'items', items: stored(later) }]);
  return ledger;
}

const draftOf = (run: string, ...items: Parameters<typeof ledgerItem>[0][]) => ({
  run,
  items: stored([...TURN, ...items]),
  responses: [],
});

const how = { run: 'settled', reason: 'tool', calls: { result: INTERRUPTED } } as const;

/** The history after these steps: texts of results, and the interrupted turns. */
async function settled(ledger: Ledger, draft: ReturnType<typeof draftOf>) {
  const { entries, drafts } = await ledger.append((state) => resettlingSteps(draft, state, how));
  const items = entries.map(({ kind, item }) => (item?.type === 'function_call_result' ? item.output : kind));
  return { items, interrupted: drafts.interrupted };
}

describe('a run that is interrupted after another process has settled it', () => {
  it('the turn has the reason of the run, and a made result stands once', async () => {
    expect(await settled(await history(), draftOf('settled'))).toMatchObject({
      items: ['message:user', 'function_call', { text: INTERRUPTED }],
      interrupted: [{ run: 'settled', reason: 'tool', from: 0, made: 1 }],
    });
  });

  it('a result that came in between replaces the made one', async () => {
    const draft = draftOf('settled', result('call_1', 'find', 'found'));
    expect(await settled(await history(), draft)).toMatchObject({
      items: ['message:user', 'function_call', 'found'],
      interrupted: [{ reason: 'tool', made: 0 }],
    });
  });

  it('a turn that others followed stays as it is, and gets only new items', async () => {
    const ledger = await history(user('and now?'), assistant('nothing'));
    const before = (await ledger.read()).drafts.interrupted;
    const draft = draftOf('settled', result('call_1', 'find', 'found'), assistant('late'));
    expect(await settled(ledger, draft)).toEqual({
      items: [
        'message:user',
        'function_call',
        INTERRUPTED,
        'message:user',
        'message:assistant',
        'message:assistant',
      ],
      interrupted: before,
    });
    const { version } = await ledger.read();
    await settled(ledger, draftOf('settled'));
    expect((await ledger.read()).version).toBe(version);
  });

  it('a run of which the history has nothing changes nothing', async () => {
    const ledger = await history();
    const state = await ledger.read();
    expect(resettlingSteps(draftOf('other'), state, { ...how, run: 'other' })).toEqual([]);
  });

  it('items without content are left out', async () => {
    const ledger = await history();
    await ledger.append(() => [{ type: 'items', items: [ledgerItem(user('bare'), false)] }]);
    await ledger.append(() => [
      {
        type: 'draft',
        run: 'bare',
        keep: 0,
        items: [],
        responses: [],
        ended: true,
        interrupted: { reason: 'abandoned', items: 1, made: 0 },
      },
    ]);
    const draft = { run: 'bare', items: [ledgerItem(user('bare'), false)], responses: [] };
    const { entries, drafts } = await ledger.append((state) =>
      resettlingSteps(draft, state, { ...how, run: 'bare' }),
    );
    expect(entries).toHaveLength(4);
    expect(drafts.interrupted.at(-1)).toMatchObject({ run: 'bare', reason: 'tool', made: 0 });
  });
});

describe('a resumed run, whose earlier part had another name', () => {
  it('the run is known by a call that it answers', async () => {
    const ledger = await history();
    const items = stored([result('call_1', 'find', 'found')]);
    const state = await ledger.append((now) => continuingSteps(now, { items, run: undefined }) ?? []);
    expect(state.entries.map(({ kind }) => kind)).toEqual([
      'message:user',
      'function_call',
      'function_call_result',
    ]);
    expect(state.drafts.interrupted).toEqual([]);
  });

  it('a run without items has no earlier part', async () => {
    const state = await (await history()).read();
    expect(continuingSteps(state, { items: [], run: undefined })).toBeUndefined();
  });

  it('turns that follow each other at once are one run, and a later one is another', async () => {
    const ledger = await history();
    const interrupt = (run: string, ...items: Parameters<typeof ledgerItem>[0][]) =>
      ledger.append(() => [
        { type: 'items', items: stored(items) },
        {
          type: 'draft',
          run,
          keep: 0,
          items: [],
          responses: [],
          ended: true,
          interrupted: { reason: 'abandoned', items: 1, made: 0 },
        },
      ]);
    await interrupt('second', assistant('part two'));
    await ledger.append(() => [{ type: 'items', items: stored([user('between'), assistant('yes')]) }]);
    const state = await interrupt('third', user('other'));
    const items = stored([
      ...TURN,
      result('call_1', 'find', INTERRUPTED),
      assistant('part two'),
      assistant('end'),
    ]);
    const steps = continuingSteps(state, { items, run: undefined });
    expect(steps).toEqual([{ type: 'items', items: items.slice(-1) }]);
  });
});
