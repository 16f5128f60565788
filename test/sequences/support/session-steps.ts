import type { AgentInputItem, Runner } from '@openai/agents';
import { HybridRunner } from '../../../src/index.ts';
import { assistantAgent } from '../../flows/support/story.ts';
import { assistant, call, result, texts, user } from '../../support/conversation.ts';
import { simulatedRunner } from '../../support/simulated.ts';
import { turns } from '../../support/virtual-time.ts';
import type { SessionWorld, Slot, Work } from './session-world.ts';

/** Items of a turn, no two alike; calls come with their results. */
function someItems(world: SessionWorld, count: number): AgentInputItem[] {
  return Array.from({ length: count }, (_, index): AgentInputItem => {
    const number = world.next();
    if (index % 4 === 1 && index + 1 < count) return call(`call_${number}`, 'look_up', { key: number });
    if (index % 4 === 2) return result(`call_${number - 1}`, 'look_up', `found ${number}`);
    return index % 2 === 0 ? user(`text ${number}`) : assistant(`answer ${number}`);
  });
}

/** The calls of an app on a session, by name. Each takes its data from the world before it begins. */
export const DEEDS = {
  read: (_world: SessionWorld, amount: number) => (slot: Slot) =>
    slot.session.getItems([undefined, undefined, 0, 1, 3, 100][amount % 6]),
  append: (world: SessionWorld, amount: number) => {
    const items = someItems(world, amount);
    return (slot: Slot) => slot.session.addItems(items);
  },
  pop: () => (slot: Slot) => slot.session.popItem(),
  undo: (world: SessionWorld, amount: number) => (slot: Slot) =>
    slot.session.undo({ turns: 1 + (amount % 2), keep: amount > 3 && keepsContent(world) }),
  // The ledger of a fork holds its items.
  fork: (world: SessionWorld) => (slot: Slot) =>
    keepsContent(world) ? slot.session.forkedItems() : slot.session.usage(),
  verify: () => (slot: Slot) => slot.session.verify(),
  flush: () => (slot: Slot) => slot.session.flush(),
  stats: () => async (slot: Slot) => JSON.stringify(slot.session.stats()),
  mutate: (world: SessionWorld, amount: number) => {
    const calls = world.expected.possible[0].items.flatMap((item) =>
      item.type === 'function_call' ? [item] : [],
    );
    const { callId } = calls[amount % Math.max(1, calls.length)] ?? { callId: 'call_unknown' };
    const replacement = call(callId, 'look_up', { changed: world.next() });
    const mutations = [{ type: 'replace_function_call' as const, callId, replacement }];
    return (slot: Slot) => slot.session.applyHistoryMutations({ mutations });
  },
  replace: (world: SessionWorld, amount: number) => {
    const { items } = world.expected.possible[0];
    const expectedSuffix = items.slice(Math.max(0, items.length - (amount % 5)));
    const replacement = someItems(world, (amount * 7) % 4);
    const args = {
      operationId: `operation ${world.next()}`,
      transaction: { type: 'replace_suffix' as const, expectedSuffix: [...expectedSuffix], replacement },
    };
    return (slot: Slot) => transact(world, slot, args, amount);
  },
  transact: (world: SessionWorld, amount: number) => {
    const args = {
      operationId: `operation ${world.next()}`,
      transaction: { type: 'append_items' as const, items: someItems(world, amount % 6) },
    };
    return (slot: Slot) => transact(world, slot, args, amount);
  },
  heal: (_world: SessionWorld, amount: number) => (slot: Slot) => slot.session.heal({ dryRun: amount === 0 }),
  respond: (world: SessionWorld) => {
    const responseId = `resp_${world.next()}`;
    // A bookmark proves no response that the API does not hold.
    if (world.settings.store === 'bookmark') return (slot: Slot) => slot.session.getItems();
    return (slot: Slot) => slot.session.runCompaction({ responseId, store: true });
  },
} as const;

function keepsContent({ settings }: SessionWorld): boolean {
  return settings.options.keepContent !== false;
}

export type Deed = keyof typeof DEEDS;

/** A deed as work of one session. */
export function deed(world: SessionWorld, which: number, name: Deed, amount: number): Work {
  return { which, act: DEEDS[name](world, amount) };
}

/** Every second transaction is asked for twice. */
async function transact(
  world: SessionWorld,
  { session }: Slot,
  args: Parameters<Slot['session']['applyHistoryTransaction']>[0],
  amount: number,
): Promise<void> {
  await session.applyHistoryTransaction(args);
  // The conversation's metadata have no room for applied operations.
  if (amount % 2 === 1 && world.settings.store !== 'bookmark') await session.applyHistoryTransaction(args);
}

/** One run of an agent. */
export interface Turn {
  /** The SDK's runner, or this package's. */
  readonly level: 1 | 2;
  readonly stream: boolean;
  readonly tool: boolean;
  readonly model: string;
  /** The event at which the caller goes away: by its signal, or by leaving the loop. */
  readonly abort: { readonly at: number; readonly by: 'signal' | 'leaving' } | undefined;
}

/** A run as work of one session. */
export function turn(world: SessionWorld, which: number, how: Turn): Work {
  const text = `turn ${world.next()}${how.tool ? ' call get_weather {"city":"Oslo"}' : ''}`;
  return { which, act: (slot) => take(world, slot, how, text) };
}

async function take(world: SessionWorld, slot: Slot, how: Turn, text: string): Promise<void> {
  const { session, process } = slot;
  const runner: Runner =
    how.level === 1 ? simulatedRunner(process.client) : new HybridRunner({ tracingDisabled: true });
  const agent = assistantAgent(how.model);
  if (!how.stream) {
    const { finalOutput } = await runner.run(agent, text, { session });
    return remembered(world, session.added, [text, String(finalOutput)]);
  }
  const controller = new AbortController();
  const streamed = await runner.run(agent, text, { session, stream: true, signal: controller.signal });
  let count = 0;
  let isLeft = false;
  for await (const event of streamed) {
    void event;
    count += 1;
    if (count !== how.abort?.at) continue;
    isLeft = true;
    if (how.abort.by === 'leaving') break;
    controller.abort();
  }
  await Promise.race([streamed.completed.catch((error: unknown) => rethrow(error, isLeft)), turns(2000)]);
  if (!isLeft && streamed.error === null)
    remembered(world, session.added, [text, String(streamed.finalOutput)]);
}

function rethrow(error: unknown, isLeft: boolean): void {
  if (!isLeft) throw error;
}

/** A finished run has told its session all its items. */
function remembered(world: SessionWorld, added: readonly AgentInputItem[], said: readonly string[]): void {
  const lines = texts(added);
  const forgotten = said.filter((one) => !lines.includes(one));
  if (forgotten.length > 0) throw new Error(`The run did not store ${forgotten.join(' | ')}`);
}
