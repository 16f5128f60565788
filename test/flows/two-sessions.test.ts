import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { runs } from '../support/runs.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { converse, idsOf, listedIds, listedTexts, recorder } from './support/story.ts';

useVirtualTime();

const WHERE = {
  'in one process': (store: LedgerStore) => store,
  'in two processes': elsewhere,
} as const;

/** Without content in the ledger a process cannot write for another: only then may the list have another order. */
function inOrder(isOrdered: boolean, values: readonly string[]): readonly string[] {
  return isOrdered ? values : values.toSorted();
}

describe.each(Object.keys(WHERE) as (keyof typeof WHERE)[])(
  'two sessions %s on one conversation',
  (where) => {
    async function pair(options: { readonly mirror?: 'await' | 'background' } = {}) {
      const { simulator } = simulated();
      const ledger = memoryLedger();
      const { onEvent, of } = recorder();
      const a = new HybridSession({ client: simulatedClient(simulator), ledger, onEvent, ...options });
      const conversationId = await a.getSessionId();
      const b = new HybridSession({
        client: simulatedClient(simulator),
        ledger: WHERE[where](ledger),
        conversationId,
        onEvent,
        ...options,
      });
      return { simulator, ledger, a, b, conversationId, of };
    }

    it("two sessions take turns and see each other's items", async () => {
      const { simulator, a, b, conversationId } = await pair();
      const said: string[] = [];
      for (let turn = 0; turn < 6; turn += 1) {
        const session = turn % 2 === 0 ? a : b;
        const runner = simulatedRunner(simulatedClient(simulator));
        const [answer = ''] = await converse(runner, session, [`turn ${turn}`]);
        expect(answer).toContain(`I see ${2 * turn + 1} item`);
        said.push(`turn ${turn}`, answer);
      }
      expect(texts(await a.getItems())).toEqual(said);
      expect(texts(await b.getItems())).toEqual(said);
      expect(listedTexts(simulator, conversationId)).toEqual(said);
      expect(await a.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    });

    it.each(['await', 'background'] as const)(
      'two sessions run at the same time, mirror: %s',
      async (mirror) => {
        const { simulator, ledger, a, b, conversationId, of } = await pair({ mirror });
        const runner = simulatedRunner(simulatedClient(simulator));
        const turns = Array.from({ length: 8 }, (_, turn) => `turn ${turn}`);
        await Promise.all([
          converse(
            runner,
            a,
            turns.filter((_, turn) => turn % 2 === 0),
          ),
          converse(
            runner,
            b,
            turns.filter((_, turn) => turn % 2 === 1),
          ),
        ]);
        await a.flush();
        await b.flush();
        const agreed = texts(await a.getItems());
        expect(texts(await b.getItems())).toEqual(agreed);
        expect(agreed.filter((text) => text.startsWith('turn')).toSorted()).toEqual(turns);
        expect(agreed.length).toBe(16);
        // A turn's items are appended as one: nothing comes between a question and its answer.
        agreed.forEach((text, index) => expect(text.startsWith('turn')).toBe(index % 2 === 0));

        const listed = listedIds(simulator, conversationId);
        expect(listed).toEqual(idsOf(await a.getItems()));
        expect(of('adopted')).toEqual([]);
        expect(of('mirror_failed')).toEqual([]);
        const report = await new HybridSession({
          client: simulatedClient(simulator),
          ledger,
          conversationId,
        }).verify();
        expect(report).toMatchObject({ verified: true, pending: 0, length: 16, listed: 16 });
      },
    );

    it('two sessions keep every append, in one order, for any interleaving', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.boolean(),
          fc.boolean(),
          async (scheduler, everyRead, keepContent) => {
            const { simulator } = simulated();
            const fetch: typeof globalThis.fetch = scheduler.scheduleFunction(simulator.fetch);
            const client = simulatedClient({ ...simulator, fetch });
            const store = memoryLedger();
            const slow: LedgerStore = {
              ...store,
              append: scheduler.scheduleFunction(async (...args) => store.append(...args)),
              read: scheduler.scheduleFunction(async (...args) => store.read(...args)),
            };
            const conversationId = (await simulatedClient(simulator).conversations.create({})).id;
            const compare = everyRead ? 'on-read' : 'auto';
            const session = (): HybridSession =>
              new HybridSession({
                client,
                ledger: WHERE[where](slow),
                conversationId,
                advanced: { compare },
                keepContent,
              });
            const [a, b] = [session(), session()];
            const work = ['one', 'two', 'three'].flatMap((text) => [
              a.addItems([user(`a ${text}`)]).then(() => a.getItems()),
              b.addItems([user(`b ${text}`)]).then(() => b.getItems()),
            ]);
            await scheduler.waitFor(Promise.all(work));
            await scheduler.waitFor(Promise.all([a.flush(), b.flush()]));
            const [agreed, other] = await scheduler.waitFor(Promise.all([a.getItems(), b.getItems()]));
            expect(texts(other)).toEqual(texts(agreed));
            for (const name of ['a', 'b']) {
              expect(texts(agreed).filter((text) => text.startsWith(name))).toEqual(
                ['one', 'two', 'three'].map((text) => `${name} ${text}`),
              );
            }
            expect(agreed.length).toBe(6);
            const listed = listedTexts(simulator, conversationId);
            const isOrdered = keepContent || where === 'in one process';
            expect(inOrder(isOrdered, listed)).toEqual(inOrder(isOrdered, texts(agreed)));
          },
        ),
        { numRuns: runs(40), seed: 20261123 },
      );
    });

    it("two sessions do not write each other's pending items", async () => {
      const { simulator, a, b, conversationId } = await pair({ mirror: 'background' });
      await Promise.all([a.addItems([user('from a')]), b.addItems([user('from b')])]);
      await a.flush();
      await b.flush();
      const texts = simulator.log
        .filter(({ operation }) => operation === 'conversations.items.create')
        .flatMap(({ body }) => (Array.isArray(body?.['items']) ? body['items'] : []));
      expect(texts.length).toBe(2);
      expect(listedTexts(simulator, conversationId).length).toBe(2);
    });
  },
);
