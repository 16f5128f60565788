import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../mocks/index.ts';
import { HybridSession, memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { call, result, texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient } from '../support/simulated.ts';
import { runs } from '../support/runs.ts';
import { elsewhere } from './support/elsewhere.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { idsOf, listedIds, recorder } from './support/story.ts';

useVirtualTime();

/** The items that the two sessions added and popped. */
class Journal {
  readonly added: string[] = [];
  readonly popped: string[] = [];
  #count = 0;

  next(): number {
    return (this.#count += 1);
  }
}

type Act = (session: HybridSession, journal: Journal) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  async append(session, journal) {
    const number = journal.next();
    journal.added.push(`text ${number}`);
    await session.addItems([
      user(`text ${number}`),
      call(`call_${number}`, 'look_up', {}),
      result(`call_${number}`, 'look_up', 'found'),
    ]);
  },
  async pop(session, journal) {
    journal.popped.push(...messages([await session.popItem()]));
  },
  read: (session) => session.getItems(),
  async mutate(session, journal) {
    const found = (await session.getItems()).find(({ type }) => type === 'function_call');
    if (found?.type !== 'function_call') return;
    const { callId } = found;
    const replacement = call(callId, 'look_up', { changed: journal.next() });
    await session.applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId, replacement }],
    });
  },
  async transact(session, journal) {
    const number = journal.next();
    journal.added.push(`text ${number}`);
    await session.applyHistoryTransaction({
      operationId: `op ${number}`,
      transaction: { type: 'append_items', items: [user(`text ${number}`)] },
    });
  },
};

/** The messages among items, which can be told apart. */
function messages(items: readonly (AgentInputItem | undefined)[]): string[] {
  return texts(items).filter((text) => text.startsWith('text'));
}

const fault = fc.record({
  operation: fc.constantFrom<Operation>('conversations.items.create', 'conversations.items.delete'),
  status: fc.constantFrom(500, 429),
  moment: fc.constantFrom('before' as const, 'after' as const),
  skip: fc.nat(3),
  times: fc.integer({ min: 1, max: 2 }),
});

const options: Arbitrary<HybridSessionOptions> = fc.record({
  keepContent: fc.boolean(),
  mirror: fc.constantFrom('await', 'background'),
  advanced: fc.record({ compare: fc.constantFrom('auto', 'on-read') }),
});

describe('two concurrent sessions with any failures of the conversation', () => {
  it('two concurrent sessions end with one history, without a lost, doubled or misplaced item', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.tuple(fc.nat(1), fc.constantFrom(...Object.keys(ACTS))), { minLength: 1, maxLength: 8 }),
        fc.array(fault, { maxLength: 2 }),
        options,
        fc.boolean(),
        async (scheduler, steps, faults, given, isElsewhere) => {
          const { simulator } = simulated();
          const { id: conversationId } = await simulatedClient(simulator).conversations.create({});
          for (const { operation, ...how } of faults) simulator.fault(operation, how);
          const fetch: typeof globalThis.fetch = scheduler.scheduleFunction(simulator.fetch);
          const store = memoryLedger();
          const ledger: LedgerStore = {
            ...store,
            append: scheduler.scheduleFunction(async (...args) => store.append(...args)),
            read: scheduler.scheduleFunction(async (...args) => store.read(...args)),
          };
          const { onEvent, of } = recorder();
          const shared: HybridSessionOptions = {
            ...given,
            // Without content in the ledger, the pending items of another process cannot be read.
            keepContent: given.keepContent === true || isElsewhere,
            client: simulatedClient({ ...simulator, fetch }),
            conversationId,
            onEvent,
          };
          const sessions = [
            new HybridSession({ ...shared, ledger }),
            new HybridSession({ ...shared, ledger: isElsewhere ? elsewhere(ledger) : ledger }),
          ] as const;
          const all = <T>(ask: (session: HybridSession) => Promise<T>): Promise<T[]> =>
            scheduler.waitFor(Promise.all(sessions.map((session) => ask(session))));

          const journal = new Journal();
          const work = steps.map(async ([which, name]) => {
            const session = sessions[which];
            if (session !== undefined) await ACTS[name]?.(session, journal);
          });
          await scheduler.waitFor(Promise.all(work));
          for (let tries = 0; tries < 6; tries += 1)
            await all((session) => session.flush().catch(() => undefined));

          const [items = [], others = []] = await all((session) => session.getItems());
          expect(idsOf(others)).toEqual(idsOf(items));
          expect([...messages(items), ...journal.popped].toSorted()).toEqual(journal.added.toSorted());
          expect(listedIds(simulator, conversationId)).toEqual(idsOf(items));
          expect(of('adopted')).toEqual([]);
          for (const report of await all((session) => session.verify())) {
            expect(report).toMatchObject({ verified: true, pending: 0, findings: [], listed: items.length });
          }
        },
      ),
      { numRuns: runs(80), seed: 20261123 },
    );
  });
});
