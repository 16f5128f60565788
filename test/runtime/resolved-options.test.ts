import { describe, expect, it } from 'vitest';
import { contentCache } from '../../src/conversation/content-cache.ts';
import { memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { LoadedHistories, loadedHistories, type HistoryHolder } from '../../src/runtime/memory-budget.ts';
import { resolveOptions } from '../../src/runtime/options.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { simulated } from '../support/simulated.ts';

const wrong = (options: object): unknown => {
  try {
    return resolveOptions(options);
  } catch (error) {
    return error;
  }
};

const onEvent = (): void => undefined;

const bookmarkOf = (options: HybridSessionOptions): boolean => resolveOptions(options).bookmark;

describe('the options of a session', () => {
  it('options that are not given have their defaults', () => {
    expect(resolveOptions({})).toMatchObject({
      client: undefined,
      conversationId: undefined,
      sessionId: undefined,
      ledgerRetry: 5000,
      rollout: 'chain',
      mirror: 'await',
      mirrorLease: 10_000,
      bookmark: true,
      keepContent: true,
      compare: 'auto',
      onIncomplete: 'throw',
      responseTtl: 29 * 24 * 60 * 60 * 1000,
    });
    expect(resolveOptions({}).observers).toHaveLength(2);
  });

  it('options that are given count', () => {
    const { client } = simulated();
    const given = {
      client,
      conversationId: 'conv_1',
      sessionId: 'user-42',
      rollout: 'rebuild',
      mirror: 'background',
      bookmark: false,
      keepContent: false,
      onIncomplete: 'warn',
    } as const;
    const advanced = { compare: 'manual', mirrorLease: 1, responseTtl: 2, ledgerRetry: 0 } as const;
    expect(resolveOptions({ ...given, advanced })).toMatchObject({ ...given, ...advanced });
    const observer = { begin: () => undefined } as never;
    expect(resolveOptions({ onEvent, observers: [observer] }).observers.slice(2)).toEqual([
      { event: onEvent },
      observer,
    ]);
  });

  it('a bookmark is kept where the ledger ends with the process, unless the mode is the stock session', () => {
    expect(bookmarkOf({ ledger: memoryLedger() })).toBe(true);
    expect(bookmarkOf({ ledger: elsewhere(memoryLedger()) })).toBe(false);
    expect(bookmarkOf({ ledger: elsewhere(memoryLedger()), bookmark: true })).toBe(true);
    expect(bookmarkOf({ rollout: 'off' })).toBe(false);
    expect(bookmarkOf({ rollout: 'shadow' })).toBe(false);
    expect(bookmarkOf({ rollout: 'rebuild' })).toBe(true);
  });

  it.each([
    [{ mirror: 'off' }, 'sessionId'],
    [{ mirror: 'off', sessionId: 'a', conversationId: 'conv_1' }, 'conversationId'],
    [{ mirror: 'off', sessionId: 'a', keepContent: false }, 'keepContent'],
    [{ mirror: 'off', sessionId: 'a', rollout: 'off' }, 'rollout'],
    [{ mirror: 'off', sessionId: 'a', rollout: 'shadow' }, 'rollout'],
    [{ sessionId: '' }, 'sessionId'],
    [{ conversationId: '..' }, 'conversationId'],
    [{ client: {} }, 'client'],
    [{ client: { conversations: {} } }, 'client'],
    [{ client: { responses: {} } }, 'client'],
    [{ onEvent: 'print' }, 'onEvent'],
    [{ observers: [{}] }, 'observers.0'],
    [{ observers: [7] }, 'observers.0'],
    [{ observers: [{ event: () => undefined, begin: 7 }] }, 'observers.0'],
    [{ advanced: { mirrorLease: 600_001 } }, 'advanced.mirrorLease'],
    [{ advanced: { mirrorLease: 0 } }, 'advanced.mirrorLease'],
    [{ advanced: { mirrorLease: 1.5 } }, 'advanced.mirrorLease'],
    [{ advanced: { responseTtl: 0 } }, 'advanced.responseTtl'],
    [{ advanced: { ledgerRetry: -1 } }, 'advanced.ledgerRetry'],
    [{ advanced: { cache: { maxBytes: 0 } } }, 'advanced.cache.maxBytes'],
    [{ advanced: { cache: {} } }, 'advanced.cache.maxBytes'],
  ])('the options %j are refused by name', (options, option) => {
    expect(wrong(options)).toMatchObject({ code: 'invalid_options', option });
  });

  it.each([
    [{ mirror: 'off', sessionId: 'a' }],
    [{ mirror: 'off', sessionId: 'a', rollout: 'rebuild' }],
    [{ observers: [{ event: () => undefined }] }],
    [{ observers: [{ begin: () => undefined, event: undefined }] }],
    [{ advanced: { mirrorLease: 600_000 } }],
    [{ advanced: { ledgerRetry: 0 } }],
    [{ client: { conversations: {}, responses: {} } }],
  ])('the options %j are taken', (options) => {
    expect(wrong(options)).toHaveProperty('ledger');
  });

  it('a cache of its own has a budget of its own, and a shared one a shared budget', () => {
    const cache = contentCache(1000);
    const [one, two] = [resolveOptions({ advanced: { cache } }), resolveOptions({ advanced: { cache } })];
    expect([one.cache, two.cache]).toEqual([cache, cache]);
    expect(one.loaded).toBe(two.loaded);
    const [own, other] = [{ maxBytes: 1000 }, { maxBytes: 1000 }].map((limit) =>
      resolveOptions({ advanced: { cache: limit } }),
    );
    expect(own?.cache).not.toBe(other?.cache);
    expect(own?.loaded).not.toBe(other?.loaded);
    expect(resolveOptions({}).loaded).toBe(resolveOptions({}).loaded);
    expect(resolveOptions({}).loaded).toBe(loadedHistories(undefined));
  });
});

function holder(name: string, released: string[]): HistoryHolder {
  return {
    unload: () => {
      released.push(name);
      return Promise.resolve();
    },
  };
}

describe('the histories in memory', () => {
  it('the least recently used history leaves when the budget is spent', () => {
    const released: string[] = [];
    const loaded = new LoadedHistories(100);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => holder(name, released));
    if (a === undefined || b === undefined || c === undefined) throw new Error('no holders');
    loaded.used(a, 50);
    loaded.used(b, 50);
    expect(released).toEqual([]);
    loaded.used(a, 50);
    loaded.used(c, 50);
    expect(released).toEqual(['b']);
  });

  it('a history has its newest size', () => {
    const released: string[] = [];
    const loaded = new LoadedHistories(100);
    const [a, b] = [holder('a', released), holder('b', released)];
    loaded.used(a, 90);
    loaded.used(a, 10);
    loaded.used(b, 90);
    expect(released).toEqual([]);
    loaded.used(a, 11);
    expect(released).toEqual(['b']);
  });

  it('a history without a size leaves without a release', () => {
    const released: string[] = [];
    const loaded = new LoadedHistories(100);
    const [a, b] = [holder('a', released), holder('b', released)];
    loaded.used(a, 100);
    loaded.used(a, 0);
    loaded.used(b, 100);
    expect(released).toEqual([]);
  });

  it('a history that exceeds the budget is released at once, and one that fills it stays', () => {
    const released: string[] = [];
    const loaded = new LoadedHistories(100);
    const [a, b] = [holder('a', released), holder('b', released)];
    loaded.used(a, 100);
    loaded.used(b, 101);
    expect(released).toEqual(['b']);
    loaded.used(a, 101);
    expect(released).toEqual(['b', 'a']);
    loaded.used(b, 100);
    expect(released).toEqual(['b', 'a']);
  });
});

describe('the values of an option', () => {
  it('each documented way to compare is taken', () => {
    for (const compare of ['auto', 'on-read', 'manual'] as const)
      expect(resolveOptions({ advanced: { compare } }).compare).toBe(compare);
  });

  it('an empty name is told as empty', () => {
    for (const option of ['sessionId', 'conversationId'])
      expect(wrong({ [option]: '' })).toMatchObject({
        code: 'invalid_options',
        option,
        message: expect.stringContaining('must not be empty'),
      });
  });

  it('a size makes a cache of that size', () => {
    const { cache } = resolveOptions({ advanced: { cache: { maxBytes: 1_000_000 } } });
    cache.set('key', { type: 'message', role: 'user', content: 'one' });
    expect(cache.get('key')).toMatchObject({ content: 'one' });
  });

  it('sessions without a cache of their own keep up to 256 MiB together', () => {
    const released: string[] = [];
    const holder = (name: string): HistoryHolder => ({ unload: async () => void released.push(name) });
    const shared = loadedHistories(undefined);
    const mebibyte = 1024 * 1024;
    const [half, other, huge] = [holder('half'), holder('other'), holder('huge')];
    shared.used(half, 200 * mebibyte);
    shared.used(other, 50 * mebibyte);
    expect(released).not.toContain('half');
    shared.used(huge, 257 * mebibyte);
    expect(released.filter((name) => name === 'huge')).toEqual(['huge']);
    for (const one of [half, other]) shared.used(one, 0);
    expect(released).not.toContain('half');
  });
});
