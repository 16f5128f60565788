import { MemorySession, OpenAIConversationsSession } from '@openai/agents';
import { HybridSession } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';
import { describeSessionContract } from './session-contract.ts';

describeSessionContract({
  name: 'MemorySession',
  create: () => ({ session: new MemorySession(), client: simulated().client }),
});

describeSessionContract({
  name: 'OpenAIConversationsSession',
  create: () => {
    const { client } = simulated();
    return { session: new OpenAIConversationsSession({ client }), client };
  },
  deviations: [
    'splits long appends',
    'keeps the name of a function result',
    'keeps its ID when it is cleared',
    'applies history transactions',
    'applies history mutations',
  ],
});

for (const mode of ['off', 'shadow', 'rebuild', 'chain'] as const) {
  describeSessionContract({
    name: `HybridSession in mode ${mode}`,
    create: () => {
      const { client } = simulated();
      return { session: new HybridSession({ client, rollout: mode }), client };
    },
    deviations: mode === 'off' || mode === 'shadow' ? ['keeps the name of a function result'] : [],
  });
}

describeSessionContract({
  name: 'HybridSession without a conversation',
  create: () => {
    const { client } = simulated();
    return { session: new HybridSession({ client, mirror: 'off', sessionId: 'session-1' }), client };
  },
});

describeSessionContract({
  name: 'HybridSession that mirrors in the background',
  create: () => {
    const { client } = simulated();
    return { session: new HybridSession({ client, mirror: 'background' }), client };
  },
});

describeSessionContract({
  name: 'HybridSession that keeps no content',
  create: () => {
    const { client } = simulated();
    return {
      session: new HybridSession({ client, keepContent: false, advanced: { compare: 'on-read' } }),
      client,
    };
  },
});
