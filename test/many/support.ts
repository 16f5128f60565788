import type OpenAI from 'openai';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

/** Sessions of two items each in one ledger. */
export interface Fleet {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly ledger: LedgerStore;
  readonly ids: readonly string[];
  /** The conversation of a session. */
  readonly conversationOf: (id: string) => string;
  /** Removes the newest item of sessions from their lists. */
  readonly damage: (...ids: string[]) => Promise<void>;
}

/** Sessions named `user-0` and so on. */
export async function fleet(count: number, ledger: LedgerStore = memoryLedger()): Promise<Fleet> {
  const { simulator, client } = simulated();
  const ids = Array.from({ length: count }, (_, at) => `user-${at}`);
  const conversations = new Map<string, string>();
  for (const sessionId of ids) {
    const session = new HybridSession({ sessionId, client, ledger, bookmark: false });
    await session.addItems([user(`hello of ${sessionId}`), user('again')]);
    conversations.set(sessionId, session.conversationId ?? '');
  }
  const conversationOf = (id: string): string => conversations.get(id) ?? '';
  const damage = async (...damaged: string[]): Promise<void> => {
    for (const id of damaged) {
      const conversation_id = conversationOf(id);
      const { data } = await client.conversations.items.list(conversation_id, { order: 'desc', limit: 1 });
      await client.conversations.items.delete(data[0]?.id ?? '', { conversation_id });
    }
  };
  return { simulator, client, ledger, ids, conversationOf, damage };
}
