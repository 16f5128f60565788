import type { AgentInputItem, Session } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import type { Operation } from '../../mocks/http/operations.ts';
import { outline } from '../../mocks/wire/outline.ts';
import { HybridSession, memoryLedger, type LedgerStore, type Mode } from '../../src/index.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { simulated } from '../support/simulated.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import {
  expectListed,
  randomMirror,
  randomUnlink,
  takeTurn,
  turnFields,
} from '../flows/support/random-turns.ts';

useVirtualTime();

/** What goes wrong during a turn. */
const TROUBLES: readonly (readonly [Operation, Fault] | undefined)[] = [
  undefined,
  undefined,
  ['conversations.items.list', 'dropped_items'],
  ['conversations.items.list', { name: 'dropped_items', count: 3 }],
  ['conversations.items.list', 'duplicated_items'],
  ['conversations.items.list', { name: 'lagging_items', count: 2 }],
  ['conversations.items.list', 'reordered_items'],
  ['conversations.items.list', { status: 500 }],
  ['conversations.items.create', { status: 500 }],
  ['conversations.items.create', 'conversation_locked'],
  ['conversations.items.delete', { status: 503 }],
  ['responses.create', { status: 500, times: 1 }],
  ['responses.create', { status: 500, times: 1, skip: 1 }],
  ['responses.create', { name: 'cut_stream', times: 1 }],
  ['responses.create', { name: 'failed_response', times: 1 }],
  ['responses.create', { name: 'previous_response_not_found', times: 1 }],
];

const turnsAtRandom = fc.array(
  fc.record({
    ...turnFields,
    // Two objects of one process take turns, and now and then another process takes over.
    who: fc.constantFrom('first', 'second', 'new'),
    trouble: fc.constantFrom(...TROUBLES),
  }),
  { minLength: 3, maxLength: 7 },
);

const digests = (items: readonly AgentInputItem[]): (string | null)[] =>
  items.map((item) => itemDigest(item));

/** The same session, except that it writes down what it has taken on. */
function noted(session: Session, taken: AgentInputItem[]): Session {
  return new Proxy(session, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (property !== 'addItems') return typeof member === 'function' ? member.bind(target) : member;
      return async (items: AgentInputItem[]) => {
        await target.addItems(items);
        taken.push(...structuredClone(items));
      };
    },
  });
}

describe('a mode that changes at any turn', () => {
  it('a session in any mode loses, repeats and reorders nothing through failures, other processes and lists that cannot be relied on', async () => {
    await fc.assert(
      fc.asyncProperty(turnsAtRandom, randomUnlink, randomMirror, async (turns, unlink, mirror) => {
        const world = simulated({ unlink });
        const { client, simulator } = world;
        const store = memoryLedger();
        let mode: Mode = 'chain';
        const rollout = (): Mode => mode;
        const open = (ledger: LedgerStore, conversationId?: string): HybridSession =>
          new HybridSession({ client, ledger, mirror, rollout, conversationId });
        const first = open(store);
        const conversationId = await first.getSessionId();
        const here = { first, second: open(store, conversationId) };
        const all: HybridSession[] = [here.first, here.second];
        const taken: AgentInputItem[] = [];
        for (const [turn, next] of turns.entries()) {
          mode = next.mode;
          let session = next.who === 'new' ? undefined : here[next.who];
          if (session === undefined) all.push((session = open(elsewhere(store), conversationId)));
          const lift = next.trouble && simulator.fault(...next.trouble);
          await takeTurn(client, noted(session, taken), turn, next).catch(() => undefined);
          lift?.();
        }
        // What is pending waits for the lease of who wrote last: that one knows that it is done.
        for (const session of all) await session.flush();
        mode = 'rebuild';
        for (const session of [...all, open(store, conversationId)])
          expect(digests(await session.getItems())).toEqual(digests(taken));
        expect(await here.first.verify()).toMatchObject({ verified: true, pending: 0, missing: [] });
        expectListed(world, conversationId, unlink, outline(taken));
      }),
      { numRuns: 40, seed: 20261126 },
    );
  });
});
