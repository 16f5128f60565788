import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import type { AgentInputItem } from '@openai/agents';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { runs } from '../support/runs.ts';
import {
  expectListed,
  randomMirror,
  randomMode,
  randomUnlink,
  takeTurn,
  turnFields,
} from './support/random-turns.ts';
import { converse, historyOf, listedTexts } from './support/story.ts';

const turnsAtRandom = fc.array(fc.record(turnFields), { minLength: 2, maxLength: 6 });
const modes = fc.array(randomMode, { minLength: 2, maxLength: 6 });

function messages(items: readonly AgentInputItem[]): string[] {
  return texts(items.filter((item) => 'role' in item));
}

describe('a changing rollout', () => {
  it('a changing rollout loses, repeats and reorders no item', async () => {
    await fc.assert(
      fc.asyncProperty(turnsAtRandom, randomUnlink, randomMirror, async (turns, unlink, mirror) => {
        const world = simulated({ unlink });
        const { client, simulator } = world;
        const ledger = memoryLedger();
        let mode: Mode = 'chain';
        const session = new HybridSession({ client, ledger, mirror, rollout: () => mode });
        const said: string[] = [];
        const outlined: string[] = [];
        for (const [turn, next] of turns.entries()) {
          mode = next.mode;
          const [text, answer] = await takeTurn(client, session, turn, next);
          said.push(text, answer);
          outlined.push(...(next.tool ? ['u', 'c', 'r'] : ['u']));
          const isWhole = answer.includes(`I see ${outlined.length} item`);
          expect(isWhole || mode === 'off' || mode === 'shadow').toBe(true);
          outlined.push('a');
        }
        mode = 'rebuild';
        expect(await historyOf(session)).toBe(outlined.join(','));
        expect(messages(await session.getItems())).toEqual(said);
        await session.flush();
        expect(await session.verify()).toMatchObject({ verified: true, pending: 0, missing: [] });
        const id = await session.getSessionId();
        expectListed(world, id, unlink, outlined.join(','));
        const listed = listedTexts(simulator, id).filter((text) => said.includes(text));
        expect(listed).toEqual(said.filter((text) => listed.includes(text)));

        const later = new HybridSession({ client, ledger, conversationId: id, rollout: 'rebuild' });
        expect(messages(await later.getItems())).toEqual(said);
      }),
      { numRuns: runs(100), seed: 20261123 },
    );
  });

  it('items of one mode can be popped in another', async () => {
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
      { numRuns: runs(60), seed: 20261123 },
    );
  });
});
