import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { CompactionError, HybridRunner, HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { texts } from '../support/conversation.ts';
import { runs } from '../support/runs.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactedByServer } from './support/compaction-world.ts';
import { elsewhere } from './support/elsewhere.ts';
import { assistantAgent, converse } from './support/story.ts';

useVirtualTime();

const RUNNERS = {
  whole: new HybridRunner({ tracingDisabled: true }),
  reference: new HybridRunner({ tracingDisabled: true, history: 'reference' }),
};

/** What a user says, and the items of the turn. */
const TURNS = {
  plain: { text: 'hello', items: 'u,a' },
  long: { text: 'word '.repeat(1200), items: 'u,a' },
  tool: { text: 'call get_weather {"city":"Rome"}', items: 'u,c,r,a' },
  'long tool': { text: `call get_weather {"city":"Rome"} ${'word '.repeat(1200)}`, items: 'u,c,r,a' },
} as const;

/** Reasons for which a history cannot be compacted now. */
const REFUSALS = new Set<CompactionError['reason']>(['nothing_to_compact', 'mode']);

interface Turn {
  readonly which: 0 | 1;
  readonly kind: keyof typeof TURNS;
  readonly runner: keyof typeof RUNNERS;
  readonly stream: boolean;
  readonly compacts: 'never' | 'server' | 'refused' | 'meanwhile';
}

/** Two sessions on one ledger, and the list of the turns that they were told. */
class World {
  readonly #world = simulated();
  readonly #ledger = memoryLedger();
  readonly #agent: ReturnType<typeof assistantAgent>;
  #sessions: [HybridSession, HybridSession];
  #turns: { readonly text: string; readonly items: string }[] = [];
  readonly #model: string;
  #mode: Mode = 'chain';
  /** What was found, and what should have been. */
  readonly found: { readonly is: unknown; readonly expected: unknown }[] = [];

  constructor(model: string) {
    this.#model = model;
    this.#agent = assistantAgent(model);
    this.#sessions = [this.#open(), this.#open()];
  }

  #open(): HybridSession {
    return new HybridSession({
      client: this.#world.client,
      ledger: elsewhere(this.#ledger),
      sessionId: 'user-42',
      rollout: () => this.#mode,
      history: { compaction: { model: this.#model } },
    });
  }

  async turn({ which, kind, runner, stream, compacts }: Turn, number: number): Promise<void> {
    const { simulator } = this.#world;
    const session = this.#sessions[which];
    const { text, items } = TURNS[kind];
    const said = `${number} ${text}`;
    const before = outline(await session.getItems());
    const { modelSettings } = compactedByServer.agent;
    const agent = compacts === 'server' ? this.#agent.clone({ modelSettings }) : this.#agent;
    const isListed = this.#mode === 'off' || this.#mode === 'shadow';
    const isRefused = compacts === 'refused' && before.endsWith('a') && !isListed;
    let meanwhile: Promise<void> | undefined;
    const end = simulator.onRequest(({ operation }) => {
      if (operation === 'responses.create' && compacts === 'meanwhile')
        meanwhile ??= this.compact(which === 0 ? 1 : 0);
    });
    if (isRefused) simulator.fault('responses.create', { name: 'context_length_exceeded', times: 1 });
    const from = simulator.log.length;
    await converse(RUNNERS[runner], session, [said], { agent, stream });
    end();
    await meanwhile;
    this.#turns.push({ text: said, items });
    const requests = simulator.log.slice(from);
    this.#find(requests.filter(({ status }) => status !== 200).length, isRefused ? 1 : 0);
    const contexts = requests.flatMap(({ operation, context }) =>
      operation === 'responses.create' && context ? [outline(context)] : [],
    );
    const after = outline(await session.getItems());
    if (compacts === 'server' || compacts === 'meanwhile' || isListed) return;
    if (!isRefused) this.#find(contexts[0], before === '' ? 'u' : `${before},u`);
    this.#find(after, `${contexts.at(-1)},a`);
  }

  #find(is: unknown, expected: unknown): void {
    this.found.push({ is, expected });
  }

  async compact(which: 0 | 1): Promise<void> {
    await this.#sessions[which].runCompaction({ force: true }).catch((error: unknown) => {
      if (!CompactionError.isInstance(error) || !REFUSALS.has(error.reason)) throw error;
    });
  }

  /** Removes the newest turn. */
  async undo(which: 0 | 1): Promise<void> {
    this.#turns.pop();
    let popped: AgentInputItem | undefined;
    do popped = await this.#sessions[which].popItem();
    while (popped !== undefined && !('role' in popped && popped.role === 'user'));
  }

  change(mode: Mode): void {
    this.#mode = mode;
  }

  restart(which: 0 | 1): void {
    this.#sessions[which] = this.#open();
  }

  async check(): Promise<void> {
    const [one, other] = this.#sessions;
    const { items } = await one.transcript({ limit: 1000 });
    const said = items.map(({ item }) => item).filter(({ type }) => type !== 'compaction');
    this.#find(outline(said), this.#turns.map((turn) => turn.items).join(','));
    const users = said.filter((item) => 'role' in item && item.role === 'user');
    this.#find(
      texts(users),
      this.#turns.map(({ text }) => text),
    );
    this.#find(await other.getItems(), await one.getItems());
    const { verified, findings, missing, pending } = await one.verify();
    this.#find([verified, findings, missing, pending], [true, [], [], 0]);
  }
}

const mode: Arbitrary<Mode> = fc.constantFrom('off', 'shadow', 'rebuild', 'chain');

type Step = (world: World, number: number) => Promise<void> | void;

const session: Arbitrary<0 | 1> = fc.constantFrom(0, 1);

const step: Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record<Turn>({
        which: session,
        kind: fc.constantFrom(...(Object.keys(TURNS) as Turn['kind'][])),
        runner: fc.constantFrom('whole', 'reference'),
        stream: fc.boolean(),
        compacts: fc.constantFrom('never', 'never', 'server', 'refused', 'meanwhile'),
      })
      .map((turn) => named(JSON.stringify(turn), (world, number) => world.turn(turn, number))),
  },
  { weight: 2, arbitrary: session.map((one) => named(`compact ${one}`, (world) => world.compact(one))) },
  { weight: 1, arbitrary: mode.map((one) => named(one, (world) => world.change(one))) },
  { weight: 1, arbitrary: session.map((one) => named(`undo ${one}`, (world) => world.undo(one))) },
  { weight: 1, arbitrary: session.map((one) => named(`restart ${one}`, (world) => world.restart(one))) },
);

/** So that a counterexample can be read. */
function named(name: string, act: Step): Step {
  return Object.assign(act, { [fc.toStringMethod]: () => name });
}

it('any sequence of turns, compactions and modes keeps the transcript, and sends the model the view', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 9 }),
      fc.constantFrom('gpt-4.1', 'gpt-5.4'),
      async (steps, model) => {
        const world = new World(model);
        for (const [number, act] of steps.entries()) {
          await act(world, number);
          await world.check();
        }
        expect(world.found.map(({ is }) => is)).toEqual(world.found.map(({ expected }) => expected));
      },
    ),
    { numRuns: runs(120), seed: 20261130 },
  );
});
