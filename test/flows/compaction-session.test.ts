import { OpenAIResponsesCompactionSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { assistantAgent } from './support/story.ts';

useVirtualTime();

const ROUNDS = Array.from({ length: 30 }, (_, index) => `turn ${index + 1}`);

describe("the SDK's compaction session around a session, in a process per request", () => {
  it.each([
    ['await', 'conversation'],
    ['background', 'conversation'],
    ['await', 'name'],
    ['off', 'name'],
  ] as const)(
    'a compaction session works for 30 turns with mirror %s if the app keeps the %s',
    async (mirror, kept) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      let names: Pick<HybridSessionOptions, 'sessionId' | 'conversationId'> =
        kept === 'name' ? { sessionId: 'user-42' } : {};
      const open = (): HybridSession =>
        new HybridSession({ ...names, client, ledger, mirror, bookmark: false });
      let compactions = 0;
      for (const input of ROUNDS) {
        const underlyingSession = open();
        const session = new OpenAIResponsesCompactionSession({
          client,
          underlyingSession,
          model: 'gpt-5.4',
        });
        await simulatedRunner(client).run(assistantAgent(), input, { session });
        await underlyingSession.flush();
        const id = await underlyingSession.getSessionId();
        // The app keeps the first ID that it was given.
        if (kept === 'conversation') names = { conversationId: names.conversationId ?? id };
        const items = await open().getItems();
        compactions += items.some(({ type }) => type === 'compaction') ? 1 : 0;
        expect(JSON.stringify(items)).toContain(input);
      }
      expect(compactions).toBeGreaterThan(0);
      const last = open();
      expect(await last.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
      const { conversations } = simulator.snapshot();
      expect(conversations).toHaveLength(mirror === 'off' ? 0 : 1);
    },
  );
});
