import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../mocks/index.ts';
import { HybridSession, memoryLedger, type HybridSessionOptions, type Mode } from '../../src/index.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { idsOf, listedIds } from '../flows/support/story.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { simulated, type Simulated } from '../support/simulated.ts';

useVirtualTime();

/** A session, and beside it a plain array that everything is done to as well. */
class Pair {
  readonly world: Simulated = simulated();
  readonly #options: HybridSessionOptions;
  readonly #store = memoryLedger();
  #session: HybridSession;
  #items: AgentInputItem[] = [];
  #mode: Mode = 'chain';
  #count = 0;
  #hasLost = false;
  /** What the session said and what it should have said. */
  readonly answers: { readonly said: unknown; readonly expected: unknown }[] = [];

  constructor(options: HybridSessionOptions) {
    this.#options = options;
    this.#session = this.#open(undefined, false);
  }

  #open(conversationId: string | undefined, isElsewhere: boolean): HybridSession {
    return new HybridSession({
      ...this.#options,
      client: this.world.client,
      conversationId,
      ledger: isElsewhere ? elsewhere(this.#store) : this.#store,
      rollout: () => this.#mode,
    });
  }

  /** Items of a turn, no two alike; calls come with their results. */
  #some(count: number): AgentInputItem[] {
    return Array.from({ length: count }, (_, index): AgentInputItem => {
      const number = (this.#count += 1);
      if (index % 4 === 1 && index + 1 < count) return call(`call_${number}`, 'look_up', { key: number });
      if (index % 4 === 2) return result(`call_${number - 1}`, 'look_up', `found ${number}`);
      return index % 2 === 0 ? user(`text ${number}`) : assistant(`answer ${number}`);
    });
  }

  #answered(said: readonly AgentInputItem[], expected: readonly AgentInputItem[]): void {
    this.answers.push({ said: digests(said), expected: digests(expected) });
  }

  getSessionId(): Promise<string> {
    return this.#session.getSessionId();
  }

  async append(count: number): Promise<void> {
    const items = this.#some(count);
    await this.#session.addItems(items);
    this.#items.push(...items);
  }

  async pop(): Promise<void> {
    await this.#session.getItems();
    const popped = await this.#session.popItem();
    const expected = this.#items.pop();
    this.#answered(popped === undefined ? [] : [popped], expected === undefined ? [] : [expected]);
  }

  async replace(cut: number, count: number, isRepeated: boolean): Promise<void> {
    const keep = Math.max(0, this.#items.length - cut);
    const replacement = this.#some(count);
    const args = {
      operationId: `op ${(this.#count += 1)}`,
      transaction: {
        type: 'replace_suffix' as const,
        expectedSuffix: this.#items.slice(keep),
        replacement,
      },
    };
    await this.#session.applyHistoryTransaction(args);
    if (isRepeated) await this.#session.applyHistoryTransaction(args);
    this.#items = [...this.#items.slice(0, keep), ...replacement];
  }

  async mutate(which: number): Promise<void> {
    const calls = this.#items.flatMap((item) => (item.type === 'function_call' ? [item] : []));
    const target = calls[which % Math.max(1, calls.length)];
    if (target === undefined) return;
    const { callId } = target;
    const replacement = call(callId, 'look_up', { changed: (this.#count += 1) });
    await this.#session.applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId, replacement }],
    });
    this.#items = this.#items.map((item) => (item === target ? replacement : item));
  }

  async read(): Promise<void> {
    this.#answered(await this.#session.getItems(), this.#items);
  }

  async verify(): Promise<void> {
    this.answers.push({ said: (await this.#session.verify()).missing, expected: [] });
  }

  /** The list loses an item. */
  async lose(which: number): Promise<void> {
    const id = await this.getSessionId();
    const ids = listedIds(this.world.simulator, id);
    const lost = ids[which % Math.max(1, ids.length)];
    if (lost === undefined) return;
    this.#hasLost = true;
    await this.world.client.conversations.items.delete(lost, { conversation_id: id }).catch(() => undefined);
  }

  async switch(mode: Mode): Promise<void> {
    this.#mode = mode;
  }

  /** Another process goes on. Without content in the ledger it can know only what this one has written. */
  async attach(): Promise<void> {
    const isWritten = (await this.flush()) && (await this.#session.verify()).pending === 0;
    if (this.#options.keepContent === false && !isWritten) return;
    this.#session = this.#open(await this.getSessionId(), true);
  }

  async flush(): Promise<boolean> {
    return this.#session.flush().then(
      () => true,
      () => false,
    );
  }

  /** What is left of all differences once nothing fails any more. */
  async settled(): Promise<object> {
    for (let tries = 0; tries < 20; tries += 1) await this.flush();
    this.#mode = 'rebuild';
    const items = await this.#session.getItems();
    const { verified, pending, findings, missing, length, listed } = await this.#session.verify();
    const ids = listedIds(this.world.simulator, await this.getSessionId());
    return {
      isWhole: digests(items).join() === digests(this.#items).join(),
      isMirrored:
        ids.join() ===
        idsOf(items)
          .filter((one) => ids.includes(String(one)))
          .join(),
      isCounted: length === this.#items.length && (this.#hasLost || listed === length),
      verified,
      pending,
      findings: findings.filter(({ type }) => !this.#hasLost || type !== 'lost'),
      missing,
    };
  }
}

function digests(items: readonly AgentInputItem[]): (string | null)[] {
  return items.map((item) => itemDigest(item));
}

type Step = (pair: Pair) => Promise<unknown>;

/** What an app does to a session. */
const calls: readonly Arbitrary<Step>[] = [
  fc.nat(25).map((count) => named(`append ${count}`, (pair) => pair.append(count))),
  fc
    .constantFrom('pop' as const, 'read' as const, 'flush' as const, 'attach' as const, 'verify' as const)
    .map((name) => named(name, (pair) => pair[name]())),
  fc
    .tuple(fc.nat(4), fc.nat(4), fc.boolean())
    .map((args) => named(`replace ${args.join()}`, (pair) => pair.replace(...args))),
  fc.nat(9).map((which) => named(`mutate ${which}`, (pair) => pair.mutate(which))),
];

const changes = (...modes: readonly Mode[]): Arbitrary<Step> =>
  fc.constantFrom(...modes).map((mode) => named(mode, (pair) => pair.switch(mode)));

const losses = fc.nat(30).map((which) => named(`lose ${which}`, (pair) => pair.lose(which)));

/** What can happen, and which options go with it. */
const CONDITIONS = {
  'in any mode': {
    step: fc.oneof(...calls, changes('off', 'shadow', 'rebuild', 'chain')),
    keepContent: fc.boolean(),
  },
  'with a list that loses items': {
    step: fc.oneof(...calls, changes('rebuild', 'chain'), losses),
    keepContent: fc.constant(true),
  },
} as const;

/** So that a counterexample can be read. */
function named(name: string, act: Step): Step {
  return Object.assign(act, { [fc.toStringMethod]: () => name });
}

const fault = fc.record({
  operation: fc.constantFrom<Operation>('conversations.items.create', 'conversations.items.delete'),
  kind: fc.constantFrom({ status: 500 }, { status: 429 }, { name: 'conversation_locked' as const }),
  moment: fc.constantFrom('before' as const, 'after' as const),
  skip: fc.nat(3),
  times: fc.integer({ min: 1, max: 3 }),
});

describe.each(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[])(
  'any sequence of calls %s',
  (condition) => {
    const { step, keepContent } = CONDITIONS[condition];
    const options: Arbitrary<HybridSessionOptions> = fc.record({
      keepContent,
      mirror: fc.constantFrom('await', 'background'),
      advanced: fc.record({
        compare: fc.constantFrom('auto' as const, 'on-read' as const, 'manual' as const),
      }),
    });

    it('a sequence of calls leaves ledger, history and list with the same items in the same order, whatever write fails', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 14 }),
          fc.array(fault, { maxLength: 3 }),
          options,
          async (steps, faults, given) => {
            const pair = new Pair(given);
            await pair.getSessionId();
            for (const { operation, kind, ...timing } of faults) {
              pair.world.simulator.fault(operation, { ...kind, ...timing });
            }
            for (const act of steps) await act(pair);
            expect(pair.answers.map(({ said }) => said)).toEqual(
              pair.answers.map(({ expected }) => expected),
            );
            expect(await pair.settled()).toEqual({
              isWhole: true,
              isMirrored: true,
              isCounted: true,
              verified: true,
              pending: 0,
              findings: [],
              missing: [],
            });
          },
        ),
        { numRuns: 100, seed: 20261123 },
      );
    });
  },
);
