import { setDefaultOpenAIClient } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

describe('a session without a client', () => {
  it("a session without a client uses the SDK's default client", async () => {
    const { client, simulator } = simulated();
    setDefaultOpenAIClient(client);
    const session = new HybridSession({ bookmark: false });
    await session.addItems([user('hi')]);
    expect(simulator.log.map(({ operation }) => operation)).toEqual([
      'conversations.create',
      'conversations.items.create',
    ]);
  });
});
