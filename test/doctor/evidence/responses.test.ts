import { describe, expect, it } from 'vitest';
import type { ApiItem } from '../../../src/conversation/items.ts';
import { contentCache, scopedCache } from '../../../src/conversation/content-cache.ts';
import { ResponseReader } from '../../../src/conversation/response-reader.ts';
import { ItemIndex } from '../../../src/doctor/evidence/item-index.ts';
import { readResponses, responseBounds, type ReadResponse } from '../../../src/doctor/evidence/responses.ts';
import { ItemConverter } from '../../../src/items/item-converter.ts';
import { ledgerItem, recordOf, type LedgerStep } from '../../../src/ledger/record.ts';
import { applyRecords } from '../../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../../src/ledger/state.ts';
import { texts, user } from '../../support/conversation.ts';
import { simulated, type Simulated } from '../../support/simulated.ts';

/** A world with a chain of two responses, and a response that shares nothing with them. */
async function chained(options: Parameters<typeof simulated>[0] = {}) {
  const world = simulated(options);
  const make = (input: string, parent?: string) =>
    world.client.responses.create({
      model: 'gpt-4.1',
      input,
      ...(parent === undefined ? {} : { previous_response_id: parent }),
    });
  const first = await make('one');
  const second = await make('two', first.id);
  const stray = await make('three');
  return { ...world, first, second, stray };
}

async function read({ client }: Simulated, ids: readonly string[], seen: readonly string[] = []) {
  const itemIndex = new ItemIndex(new ItemConverter(), true);
  const progress: string[] = [];
  const result = await readResponses(ids, 'given', {
    chain: new ResponseReader(client, scopedCache(contentCache(), client)),
    itemIndex,
    seen,
    onProgress: (stage, done, total) => progress.push(`${stage} ${done}/${total}`),
  });
  const inputs = (response: ReadResponse | undefined): string[] =>
    texts(Array.from(response?.input.keys ?? [], (key) => itemIndex.facts(key).item));
  return { ...result, progress, inputs };
}

describe('the responses that are read', () => {
  it('the parents of a response are read as well, each once, and progress is told', async () => {
    const world = await chained();
    const { found, missing, progress } = await read(world, [
      world.second.id,
      world.stray.id,
      world.second.id,
    ]);
    expect(found.map(({ id, from, parent }) => [id, from, parent])).toEqual([
      [world.second.id, 'given', world.first.id],
      [world.stray.id, 'given', undefined],
      [world.first.id, 'chain', undefined],
    ]);
    expect(missing).toEqual([]);
    expect(progress).toEqual([
      'responses 1/2',
      'responses 2/2',
      'responses 3/3',
      'inputs 1/3',
      'inputs 2/3',
      'inputs 3/3',
    ]);
  });

  it('a response that is gone is missing, also where another one names it', async () => {
    const world = await chained();
    await world.client.responses.delete(world.first.id);
    const { found, missing } = await read(world, [world.second.id, 'resp_unknown']);
    expect(found.map(({ id }) => id)).toEqual([world.second.id]);
    expect(missing).toEqual([
      { id: 'resp_unknown', status: 'missing', from: 'given', parent: null, time: null },
      { id: world.first.id, status: 'missing', from: 'chain', parent: null, time: null },
    ]);
  });

  it('an input keeps only the IDs that other sources show', async () => {
    const world = await chained();
    const { found } = await read(world, [world.first.id]);
    expect(found[0]?.input).toMatchObject({ ids: [undefined], isWhole: true });
    const { data } = await world.client.responses.inputItems.list(world.first.id);
    const [item] = data;
    const known = await read(world, [world.first.id], [item?.id ?? '']);
    expect(known.found[0]?.input.ids).toEqual([item?.id]);
  });

  it('an input that fits into one page is whole', async () => {
    const world = await chained({ inputItems: 'inherited' });
    const { found, inputs } = await read(world, [world.first.id, world.second.id]);
    expect(found.map((one) => inputs(one))).toEqual([['one'], ['one', world.first.output_text, 'two']]);
    expect(found.map(({ input }) => input.isWhole)).toEqual([true, true]);
  });
});

const message = (role: 'user' | 'assistant', text: string): ApiItem => ({
  type: 'message',
  id: `${role} ${text}`,
  role,
  content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
});

/** A response of a long conversation: its input is read from its end, in these pages. */
interface LongResponse {
  readonly time?: number;
  readonly output: string;
  readonly pages: readonly (readonly ApiItem[])[];
}

/** The input of the newest of these responses, and whether it is whole. */
async function inputOfNewest(
  told: Readonly<Record<string, LongResponse>>,
): Promise<[string[], boolean | undefined]> {
  const chain: Pick<ResponseReader, 'response' | 'inputEnd'> = {
    response: (id) => {
      const { output = '', time } = told[id] ?? {};
      const stored = { id, parent: undefined, status: 'completed', conversationId: undefined, time };
      return Promise.resolve({ ...stored, output: [message('assistant', output)] });
    },
    inputEnd: async (id, isEnough) => {
      const items: ApiItem[] = [];
      const pages = [...(told[id]?.pages ?? [])];
      for (let page = pages.pop(); page !== undefined; page = pages.pop()) {
        items.unshift(...page);
        if (pages.length > 0 && (await isEnough(page))) return { items, isWhole: false };
      }
      return { items, isWhole: true };
    },
  };
  const itemIndex = new ItemIndex(new ItemConverter(), true);
  const { found } = await readResponses(Object.keys(told), 'given', {
    chain: chain as ResponseReader,
    itemIndex,
    seen: [],
    onProgress: () => undefined,
  });
  const input = found.at(-1)?.input;
  return [texts(Array.from(input?.keys ?? [], (key) => itemIndex.facts(key).item)), input?.isWhole];
}

describe('the end of a long input', () => {
  const [old, one, two] = [message('user', 'old'), message('assistant', 'one'), message('user', 'two')];
  const long = { output: 'last', pages: [[old], [old, one, two]] };

  it('a long input begins with an output that one older response has made', async () => {
    expect(
      await inputOfNewest({ a: { output: 'one', time: 1, pages: [] }, b: { ...long, time: 2 } }),
    ).toEqual([['one', 'two'], false]);
    expect(await inputOfNewest({ a: { output: 'one', pages: [] }, b: long })).toEqual([
      ['one', 'two'],
      false,
    ]);
    expect(
      await inputOfNewest({ a: { output: 'one', time: 2, pages: [] }, b: { ...long, time: 2 } }),
    ).toEqual([['one', 'two'], false]);
  });

  it('a long input is whole where no output is of one older response', async () => {
    const whole = [['old', 'old', 'one', 'two'], true];
    const made = { output: 'one', time: 1, pages: [] };
    expect(await inputOfNewest({ a: { ...made, time: 3 }, b: { ...long, time: 2 } })).toEqual(whole);
    expect(await inputOfNewest({ a: made, x: made, b: { ...long, time: 2 } })).toEqual(whole);
    expect(await inputOfNewest({ b: { ...long, output: 'one', time: 2 } })).toEqual(whole);
    expect(await inputOfNewest({ a: { ...made, output: 'other' }, b: { ...long, time: 2 } })).toEqual(whole);
  });
});

function ledger(...steps: readonly LedgerStep[]): LedgerState {
  const state = emptyState();
  for (const step of steps) applyRecords(state, [recordOf(step, { commit: 'commit', time: 0 })]);
  return state;
}

const items = (...texts: string[]): LedgerStep => ({
  type: 'items',
  items: texts.map((text) => ledgerItem(user(text), true)),
});

const owners = (state: LedgerState): (string | undefined)[] => {
  const owner = responseBounds(state);
  return state.entries.map((entry, index) => owner(entry, index));
};

const response = (id: string, state?: LedgerState): LedgerStep => ({
  type: 'response',
  id,
  store: true,
  ...(state === undefined
    ? {}
    : { context: { length: state.entries.length, digest: state.entries.at(-1)?.context ?? '' } }),
});

describe('the response that an entry belongs to', () => {
  it('an entry belongs to the first response that was recorded behind it', () => {
    const state = ledger(items('one', 'two'), response('a'), items('three'), response('b'), items('four'));
    expect(owners(state)).toEqual(['a', 'a', 'b', undefined]);
  });

  it('the length of the context decides where the history still begins with it', () => {
    const two = ledger(items('one', 'two'));
    expect(owners(ledger(items('one', 'two'), items('three'), response('a', two)))).toEqual([
      'a',
      'a',
      undefined,
    ]);
    const other = ledger(items('one', 'other'));
    expect(owners(ledger(items('one', 'two'), items('three'), response('a', other)))).toEqual([
      'a',
      'a',
      'a',
    ]);
  });

  it('removed entries do not move the end of a response', () => {
    const state = ledger(items('one', 'two'), response('a'), { type: 'pop' }, items('three'), response('b'));
    expect(owners(state)).toEqual(['a', 'b']);
  });
});
