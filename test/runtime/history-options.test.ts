import { describe, expect, it } from 'vitest';
import { HybridSession, type HistoryOptions } from '../../src/index.ts';

describe('history options', () => {
  it.each<[string, unknown]>([
    ['history.windows', { windows: {} }],
    ['history.compaction.strategy', { compaction: { strategy: 'magic' } }],
    ['history.compaction.atTokens', { compaction: { atTokens: 0 } }],
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
      { compaction: { strategy: 'server', atTokens: 1000 } },
      { compaction: () => true },
      { window: { turns: 1, slack: 0 } },
    ] satisfies HistoryOptions[])
      expect(new HybridSession({ history })).toBeInstanceOf(HybridSession);
  });
});
