import { describe, expect, it } from 'vitest';
import { HybridSession, type HistoryOptions } from '../../src/index.ts';
import { resolveHistory } from '../../src/runtime/history-options.ts';

describe('history options', () => {
  it.each<[string, unknown]>([
    ['history.windows', { windows: {} }],
    ['history.compaction.strategy', { compaction: { strategy: 'magic' } }],
    ['history.compaction.atTokens', { compaction: { atTokens: 0 } }],
    ['history.compaction.atTokens', { compaction: { atTokens: 1.5 } }],
    ['history.compaction.model', { compaction: { model: '' } }],
    ['history.compaction.size', { compaction: { size: 1 } }],
    ['history.compaction', { compaction: 'yes' }],
    ['history.compaction.atTokens', { compaction: { strategy: 'server' } }],
    ['history.compaction.atTokens', { compaction: { strategy: 'server', atTokens: 999 } }],
    ['history.window', { compaction: {}, window: { turns: 1 } }],
    ['history.window.turns', { window: { turns: 0 } }],
    ['history.window.turns', { window: { turns: 1.5 } }],
    ['history.window.slack', { window: { turns: 1, slack: -1 } }],
  ])('a wrong value is refused under the name %s: %o', (option, history) => {
    const open = (): HybridSession => new HybridSession({ history: history as HistoryOptions });
    expect(open).toThrow(expect.objectContaining({ code: 'invalid_options', option }));
  });

  it('every documented value is taken', () => {
    for (const history of [
      {},
      { compaction: {} },
      { compaction: { atTokens: 1, model: 'gpt-5.4' } },
      { compaction: { strategy: 'compact' } },
      { compaction: { strategy: 'server', atTokens: 1000 } },
      { compaction: () => true },
      { window: { turns: 1, slack: 0 } },
    ] satisfies HistoryOptions[])
      expect(new HybridSession({ history })).toBeInstanceOf(HybridSession);
  });
});

const isDue = (): boolean => true;

describe('resolved history options', () => {
  it('a session without options compacts and leaves out nothing', () => {
    expect(resolveHistory(undefined, undefined)).toEqual({ compaction: undefined, window: undefined });
    expect(resolveHistory({}, false)).toEqual({ compaction: undefined, window: undefined });
  });

  it('the window has no slack by itself', () => {
    expect(resolveHistory({ window: { turns: 3 } }, false).window).toEqual({ turns: 3, slack: 0 });
    expect(resolveHistory({ window: { turns: 3, slack: 2 } }, true).window).toEqual({ turns: 3, slack: 2 });
  });

  it('a function decides itself', () => {
    expect(resolveHistory({ compaction: isDue }, true).compaction).toEqual({
      model: undefined,
      isDue,
      readsHistory: true,
      serverThreshold: undefined,
    });
  });

  it.each([undefined, 'compact'] as const)(
    'the strategy %s counts the tokens after a turn',
    async (strategy) => {
      const { compaction } = resolveHistory(
        { compaction: { strategy, atTokens: 100, model: 'gpt-4.1' } },
        true,
      );
      expect(compaction).toMatchObject({ model: 'gpt-4.1', serverThreshold: undefined });
      const isDueAt = async (tokens: number | undefined): Promise<boolean | undefined> =>
        compaction?.isDue?.({ tokens, items: 1, turns: 1 });
      expect(await isDueAt(99)).toBe(false);
      expect(await isDueAt(100)).toBe(true);
      expect(await isDueAt(undefined)).toBe(false);
    },
  );

  it('a compaction without a number of tokens is never due', () => {
    expect(resolveHistory({ compaction: {} }, undefined).compaction).toEqual({
      model: undefined,
      isDue: undefined,
      readsHistory: false,
      serverThreshold: undefined,
    });
  });

  it('the server gets its threshold, and nothing is due after a turn', () => {
    const compaction = { strategy: 'server', atTokens: 1000, model: 'gpt-4.1' } as const;
    expect(resolveHistory({ compaction }, true).compaction).toEqual({
      model: 'gpt-4.1',
      isDue: undefined,
      readsHistory: false,
      serverThreshold: 1000,
    });
  });

  it.each<[string, string, HistoryOptions, boolean]>([
    ['history.compaction', 'cannot go with keepContent: false', { compaction: {} }, false],
    ['history.window', 'cannot go with history.compaction', { compaction: {}, window: { turns: 1 } }, true],
    [
      'history.compaction.atTokens',
      "must be at least 1000 with strategy: 'server'",
      { compaction: { strategy: 'server', atTokens: 999 } },
      true,
    ],
  ])('the option %s is refused with its reason: %s', (option, reason, history, keepContent) => {
    expect(() => resolveHistory(history, keepContent)).toThrow(
      expect.objectContaining({ option, message: expect.stringContaining(reason) }),
    );
  });

  it('a compaction that is neither a function nor an object is told what it must be', () => {
    expect(() => new HybridSession({ history: { compaction: 'yes' as never } })).toThrow(
      'must be a function or { strategy, atTokens, model }',
    );
  });
});
