import { MemorySession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';

/** The error of a constructor call, as what an app would read. */
function refusal(options: unknown): { name: string; code: unknown; option: unknown; message: string } {
  try {
    const session = new HybridSession(options as HybridSessionOptions);
    return { name: 'none', code: undefined, option: undefined, message: String(session.sessionId) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { name, message } = error;
    return { name, message, code: Reflect.get(error, 'code'), option: Reflect.get(error, 'option') };
  }
}

const WRONG: readonly (readonly [string, string, object])[] = [
  ['an unknown name', 'conversation', { conversation: 'conv_1' }],
  ['a name in another spelling', 'conversationID', { conversationID: 'conv_1' }],
  ['a client that is none', 'client', { client: {} }],
  ['a key in the place of a client', 'client', { client: 'sk-test' }],
  ['a conversation ID that is no text', 'conversationId', { conversationId: 7 }],
  ['an empty conversation ID', 'conversationId', { conversationId: '' }],
  ['null for a conversation ID', 'conversationId', { conversationId: null }],
  ['a ledger without its methods', 'ledger', { ledger: {} }],
  ['a ledger that was not created', 'ledger', { ledger: memoryLedger }],
  ['a session in the place of a ledger', 'ledger', { ledger: new MemorySession() }],
  ['an unknown mode', 'rollout', { rollout: 'on' }],
  ['a rollout that is a number', 'rollout', { rollout: 50 }],
  ['an unknown mirror', 'mirror', { mirror: 'sync' }],
  ['a mirror that is a boolean', 'mirror', { mirror: false }],
  ['a session ID that is no text', 'sessionId', { mirror: 'off', sessionId: {} }],
  ['an empty session ID', 'sessionId', { mirror: 'off', sessionId: '' }],
  ['a bookmark as text', 'bookmark', { bookmark: 'yes' }],
  ['keepContent as text', 'keepContent', { keepContent: 'yes' }],
  ['an unknown compare', 'advanced.compare', { advanced: { compare: 'always' } }],
  ['an unknown onIncomplete', 'onIncomplete', { onIncomplete: 'ignore' }],
  ['a time that is text', 'advanced.responseTtl', { advanced: { responseTtl: '29 days' } }],
  ['a time of nothing', 'advanced.responseTtl', { advanced: { responseTtl: 0 } }],
  ['a time before now', 'advanced.responseTtl', { advanced: { responseTtl: -1 } }],
  ['a time without end', 'advanced.responseTtl', { advanced: { responseTtl: Number.POSITIVE_INFINITY } }],
  ['a time that is no number', 'advanced.responseTtl', { advanced: { responseTtl: Number.NaN } }],
  ['a cache that is a number', 'advanced.cache', { advanced: { cache: 1000 } }],
  ['a cache without its methods', 'advanced.cache.maxBytes', { advanced: { cache: {} } }],
  ['a cache of no size', 'advanced.cache.maxBytes', { advanced: { cache: { maxBytes: 0 } } }],
  ['a cache of half a byte', 'advanced.cache.maxBytes', { advanced: { cache: { maxBytes: 0.5 } } }],
  ['a cache with more than its size', 'advanced.cache.max', { advanced: { cache: { maxBytes: 1, max: 1 } } }],
  ['a rule without a mode', 'rollout.mode', { rollout: { percent: 5 } }],
  ['a rule of more than all', 'rollout.percent', { rollout: { mode: 'chain', percent: 101 } }],
  ['a rule with an unknown name', 'rollout.percentage', { rollout: { mode: 'chain', percentage: 5 } }],
  ['a rule of less than nobody', 'rollout.percent', { rollout: { mode: 'chain', percent: -1 } }],
  ['a rule of no number', 'rollout.percent', { rollout: { mode: 'chain', percent: Number.NaN } }],
  ['a rule for a model without a name', 'rollout.models.0', { rollout: { mode: 'chain', models: [''] } }],
  ['a rule for models that are no list', 'rollout.models', { rollout: { mode: 'chain', models: 'gpt-5.4' } }],
  [
    'a rule with an unknown mode for the others',
    'rollout.otherwise',
    { rollout: { mode: 'chain', otherwise: 'on' } },
  ],
  [
    'a function with an unknown default',
    'rollout.defaultMode',
    { rollout: Object.assign(() => 'off', { defaultMode: 'on' }) },
  ],
  ['a listener that is no function', 'onEvent', { onEvent: console }],
];

const IMPOSSIBLE: readonly (readonly [string, string, object])[] = [
  [
    'a conversation where there is none',
    'conversationId',
    { conversationId: 'conv_1', mirror: 'off', sessionId: 's' },
  ],
  ['no name where there is no conversation', 'sessionId', { mirror: 'off' }],
  ['content nowhere', 'keepContent', { keepContent: false, mirror: 'off', sessionId: 's' }],
  ['a list to serve where there is none', 'rollout', { rollout: 'off', mirror: 'off', sessionId: 's' }],
  ['a list to compare where there is none', 'rollout', { rollout: 'shadow', mirror: 'off', sessionId: 's' }],
];

describe('options', () => {
  it.each([...WRONG, ...IMPOSSIBLE])('refuse %s before any request', (_, option, wrong) => {
    const { client, simulator } = simulated();
    const error = refusal({ client, ...wrong });
    expect(error).toMatchObject({ name: 'InvalidOptionsError', code: 'invalid_options', option });
    expect(error.message).toContain(`'${option}'`);
    expect(simulator.log).toEqual([]);
  });

  it.each([null, 'conv_1', 7, []])('refuse %j in the place of options', (value) => {
    expect(refusal(value)).toMatchObject({ name: 'InvalidOptionsError' });
  });

  it('errors of options never quote a possible key', () => {
    const key = 'sk-secret-key';
    for (const wrong of [{ client: key }, { apiKey: key }, { ledger: key }, { conversationId: { key } }]) {
      expect(refusal(wrong).message).not.toContain(key);
    }
  });

  it('every option may be absent or undefined', () => {
    const { client, simulator } = simulated();
    const absent: HybridSessionOptions = {
      client,
      conversationId: undefined,
      ledger: undefined,
      rollout: undefined,
      mirror: undefined,
      sessionId: undefined,
      bookmark: undefined,
      keepContent: undefined,
      onIncomplete: undefined,
      advanced: {
        compare: undefined,
        mirrorLease: undefined,
        responseTtl: undefined,
        ledgerRetry: undefined,
        cache: undefined,
      },
      onEvent: undefined,
    };
    for (const session of [new HybridSession(), new HybridSession({}), new HybridSession(absent)]) {
      expect(session.sessionId).toBeUndefined();
    }
    expect(simulator.log).toEqual([]);
  });

  it('a session returns its given IDs without a request', () => {
    const { client, simulator } = simulated();
    const found = new HybridSession({ client, conversationId: 'conv_1' });
    // Which session owns the conversation is in the ledger.
    expect([found.sessionId, found.conversationId]).toEqual([undefined, 'conv_1']);
    for (const mirror of ['await', 'background', 'off'] as const) {
      const named = new HybridSession({ client, mirror, sessionId: 'user-42' });
      expect([named.sessionId, named.conversationId]).toEqual(['user-42', undefined]);
    }
    const both = new HybridSession({ client, sessionId: 'user-42', conversationId: 'conv_1' });
    expect([both.sessionId, both.conversationId]).toEqual(['user-42', 'conv_1']);
    expect(simulator.log).toEqual([]);
  });
});
