import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { converse, listedTexts } from './support/story.ts';

const modes = fc.array(fc.constantFrom<Mode>('off', 'shadow', 'rebuild', 'chain'), {
  minLength: 2,
  maxLength: 6,
});

describe('a rollout that changes its mind between turns', () => {
  it('loses, repeats and reorders nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        modes,
        fc.constantFrom('none' as const, 'id-replay' as const, 'every-turn' as const),
        fc.constantFrom('await' as const, 'background' as const),
        fc.boolean(),
        async (planned, unlink, mirror, stream) => {
          const { client, simulator } = simulated({ unlink });
          const ledger = memoryLedger();
          let mode: Mode = 'chain';
          const session = new HybridSession({ client, ledger, mirror, rollout: () => mode });
          const said: string[] = [];
          for (const [turn, next] of planned.entries()) {
            mode = next;
            const text = `turn ${turn}`;
            const [answer = ''] = await converse(simulatedRunner(client), session, [text], { stream });
            said.push(text, answer);
            const isWhole = answer.includes(`I see ${2 * turn + 1} item`);
            expect(isWhole || mode === 'off' || mode === 'shadow').toBe(true);
          }
          mode = 'rebuild';
          expect(texts(await session.getItems())).toEqual(said);
          await session.flush();
          expect(await session.verify()).toMatchObject({ verified: true, pending: 0, missing: [] });
          const id = await session.getSessionId();
          const listed = listedTexts(simulator, id);
          expect(new Set(listed).size).toBe(listed.length);
          expect(listed).toEqual(
            unlink === 'every-turn' ? said.filter((text) => listed.includes(text)) : said,
          );

          const later = new HybridSession({ client, ledger, conversationId: id, rollout: 'rebuild' });
          expect(texts(await later.getItems())).toEqual(said);
        },
      ),
      { numRuns: 60, seed: 20261123 },
    );
  });

  it('undoes what was said in one mode in another', async () => {
    await fc.assert(
      fc.asyncProperty(
        modes,
        fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }),
        async (planned, pops) => {
          const { client, simulator } = simulated();
          let mode: Mode = 'chain';
          const session = new HybridSession({ client, rollout: () => mode });
          const said: string[] = [];
          const popped: string[] = [];
          const undone: string[] = [];
          for (const [turn, next] of planned.entries()) {
            mode = next;
            const [answer = ''] = await converse(simulatedRunner(client), session, [`turn ${turn}`]);
            said.push(`turn ${turn}`, answer);
            if (pops[turn] !== true) continue;
            mode = planned[turn + 1] ?? 'off';
            await session.getItems();
            popped.push(...texts([await session.popItem(), await session.popItem()]));
            undone.push(...said.splice(-2).toReversed());
          }
          expect(popped).toEqual(undone);
          expect(texts(await session.getItems())).toEqual(said);
          expect(listedTexts(simulator, await session.getSessionId())).toEqual(said);
          const report = await session.verify();
          expect(report).toMatchObject({ verified: true, pending: 0, findings: [], length: said.length });
        },
      ),
      { numRuns: 60, seed: 20261123 },
    );
  });
});
