import { describe, expect, it } from 'vitest';
import { clock, within } from '../../src/util/clock.ts';
import { roughBytes } from '../../src/util/json.ts';
import { isPlainData } from '../../src/util/plain-data.ts';
import { isUrlSegment } from '../../src/util/url-segment.ts';
import { isTime, utcTime } from '../../src/util/utc-time.ts';
import { sessionWith } from '../../src/util/with-overrides.ts';

class Point {
  readonly x = 1;
}

const withGetter = Object.defineProperty({}, 'x', { enumerable: true, get: () => 1 });
const hidden = Object.defineProperty({}, 'x', { enumerable: false, value: 1 });
const cyclic: { self?: object } = {};
cyclic.self = cyclic;
const shared = { a: 1 };
const sparse: number[] = [];
sparse[1] = 1;
const gap: number[] = [];
gap.length = 1;

describe('plain data', () => {
  it.each([
    ['a text', 'text'],
    ['null', null],
    ['nothing', undefined],
    ['a number', 1],
    ['an object', { a: { b: [1, 'two', null] } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['bytes', { a: Uint8Array.of(1, 2) }],
    ['no bytes', new Uint8Array()],
    ['a list', [[], [1], { a: [] }]],
    ['the same object twice', [shared, { shared }]],
  ])('%s is plain', (_, value) => {
    expect(isPlainData(value)).toBe(true);
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a big integer', 1n],
    ['a function inside', { a: [() => 1] }],
    ['an object of a class', new Point()],
    ['a date', { at: new Date(0) }],
    ['a getter', withGetter],
    ['a hidden field', hidden],
    ['a field that is a symbol', { [Symbol('x')]: 1 }],
    ['a cycle', cyclic],
    ['a list with a hole', sparse],
    ['a list with a field', Object.assign([1], { more: 1 })],
    ['a list whose hole a field makes up for', Object.assign(gap, { more: 1 })],
    ['bytes with a field', Object.assign(Uint8Array.of(1), { more: 1 })],
    ['a proxy', new Proxy({}, {})],
  ])('%s is not plain', (_, value) => {
    expect(isPlainData(value)).toBe(false);
  });
});

describe('a segment of a URL', () => {
  it.each(['conv_1', 'a b', '...', '.a', '\u{1F600}', '%2e'])('%j can be one', (id) => {
    expect(isUrlSegment(id)).toBe(true);
  });

  it.each(['', '.', '..', 'a\uD83D', '\uDE00'])('%j cannot be one', (id) => {
    expect(isUrlSegment(id)).toBe(false);
  });
});

describe('a moment', () => {
  it.each([0, -1, 8.64e15, -8.64e15])('%s is one', (time) => {
    expect(isTime(time)).toBe(true);
    expect(utcTime(time)).toMatch(/ UTC$/);
  });

  it.each([8.64e15 + 1, -8.64e15 - 1, Number.NaN, Infinity])('%s is none', (time) => {
    expect(isTime(time)).toBe(false);
    expect(utcTime(time)).toBeUndefined();
  });

  it('a moment is read by people', () => {
    expect(utcTime(1_700_000_000_999)).toBe('2023-11-14 22:13:20 UTC');
    for (const other of ['0', null, undefined, 1n]) expect(isTime(other)).toBe(false);
  });
});

describe('the rough size of a value', () => {
  it.each([
    [null, 8],
    [1, 8],
    ['four', 12],
    [[], 8],
    [{}, 8],
    [[1, 2], 8 + 2 * 8],
    [{ ab: 'xyz' }, 8 + 2 + 8 + 3],
    [{ a: { b: ['x', null] } }, 8 + 1 + 8 + 1 + 8 + (8 + 1) + 8],
  ])('%j takes about %i bytes', (value, bytes) => {
    expect(roughBytes(value)).toBe(bytes);
  });
});

describe('a session with other methods', () => {
  it("a method that is given counts, and every other one is the session's own", async () => {
    class Kept {
      readonly sessionId = 'own';
      #items = 3;
      getSessionId(): Promise<string> {
        return Promise.resolve(`${this.sessionId} ${this.#items}`);
      }
      getItems(): Promise<never[]> {
        return Promise.resolve([]);
      }
    }
    const items = [{ role: 'user' as const, content: 'hi' }];
    const session = sessionWith(new Kept() as never, { getItems: () => Promise.resolve(items) });
    expect(await session.getItems()).toBe(items);
    expect(await session.getSessionId()).toBe('own 3');
    expect(Reflect.get(session, 'sessionId')).toBe('own');
    expect(Reflect.get(session, 'missing')).toBeUndefined();
  });
});

/** Runs with a clock whose time passes by hand. */
async function withClock(run: (pass: () => void, cancelled: () => number) => Promise<void>): Promise<void> {
  const { after } = clock;
  let callback: (() => void) | undefined;
  let cancelled = 0;
  clock.after = (_, call) => {
    callback = call;
    return () => {
      cancelled += 1;
    };
  };
  try {
    await run(
      () => callback?.(),
      () => cancelled,
    );
  } finally {
    clock.after = after;
  }
}

describe('a task within a time', () => {
  it('a task that ends in time has its own outcome, and the wait is cancelled', async () => {
    await withClock(async (_, cancelled) => {
      expect(await within(10, Promise.resolve('done'), () => 'late')).toBe('done');
      await expect(within(10, Promise.reject(new Error('failed')), () => 'late')).rejects.toThrow('failed');
      expect(cancelled()).toBe(2);
    });
  });

  it('a task that is late has the outcome of being late', async () => {
    const never = new Promise<string>(() => undefined);
    await withClock(async (pass) => {
      const late = within(10, never, () => 'late');
      pass();
      expect(await late).toBe('late');
      const failing = within(10, never, () => {
        throw new Error('too late');
      });
      pass();
      await expect(failing).rejects.toThrow('too late');
    });
    expect(await within(0, never, () => 'at once')).toBe('at once');
    expect(await within(-1, never, () => Promise.resolve('at once'))).toBe('at once');
  });

  it('a wait can be ended by a signal, or passes', async () => {
    await expect(clock.sleep(60_000, AbortSignal.abort())).rejects.toThrow('aborted');
    await expect(clock.sleep(0)).resolves.toBeUndefined();
  });
});
