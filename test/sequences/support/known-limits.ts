import type { AgentInputItem } from '@openai/agents';
import type { HistoryIncompleteError } from '../../../src/index.ts';
import type { SimulatorItem } from '../../../mocks/index.ts';
import { textOf } from '../../../mocks/index.ts';
import { texts } from '../../support/conversation.ts';
import type { SessionWorld } from './session-world.ts';

/**
 * A known limit: if the ledger holds no content (`keepContent: false`, or the conversation's metadata), the pending
 * items of a process are lost with it, and the items that the list has lost are only in their response, if that was
 * stored. The session reports both.
 * @returns whether every missing item is indeed nowhere any more.
 */
export function isNowhere(world: SessionWorld, { missing }: HistoryIncompleteError): boolean {
  const { store, options } = world.settings;
  if (store === 'bookmark') return isBeyondBookmark(world);
  if (options.keepContent !== false) return false;
  return world.expected.possible.some((expected) => {
    const held = heldOutside(world, expected.responses);
    return missing.every(({ index }) => {
      const item = expected.items[index];
      return item !== undefined && !held.has(nameOfOwn(item));
    });
  });
}

/**
 * A known limit of metadata: they tell how many items there are, not which. A new process that finds an item in neither
 * the list nor a recorded response serves the list, and reports that its bookmark proves nothing.
 */
export function isBeyondBookmark(world: SessionWorld): boolean {
  if (world.settings.store !== 'bookmark') return false;
  const listed = listedItems(world);
  // Metadata do not tell either which of two copies is the new one where a change was being written again behind itself.
  if (new Set(listed.map((item) => nameOf(item))).size < listed.length) return true;
  return world.expected.possible.some(({ items, responses }) => {
    // A response without a record cannot be asked for.
    const held = heldOutside(world, responses.slice(-1));
    return items.some((item) => !held.has(nameOfOwn(item)));
  });
}

/** The names of all items in the list, and in the chains of these responses. */
function heldOutside(world: SessionWorld, recorded: readonly string[]): ReadonlySet<string> {
  const known = new Set(recorded);
  const { responses } = world.simulator.snapshot();
  for (const { id, previousResponseId } of responses.toReversed())
    if (known.has(id) && previousResponseId !== undefined) known.add(previousResponseId);
  const answered = responses
    .filter(({ id }) => known.has(id))
    .flatMap(({ input, output }) => [...input, ...output]);
  return new Set([...listedItems(world), ...answered].map((item) => nameOf(item)));
}

function listedItems({ simulator, conversationId }: SessionWorld): readonly SimulatorItem[] {
  const { conversations } = simulator.snapshot();
  return conversations.filter(({ id }) => id === conversationId).flatMap(({ items }) => items);
}

function nameOf(item: SimulatorItem): string {
  const callId = item['call_id'];
  if (typeof callId !== 'string') return textOf(item);
  const told = item['arguments'];
  return item.type.includes('output') ? `r ${callId}` : `c ${callId} ${typeof told === 'string' ? told : ''}`;
}

function nameOfOwn(item: AgentInputItem): string {
  if (!('callId' in item)) return texts([item]).join('');
  if (item.type.includes('result')) return `r ${item.callId}`;
  return `c ${item.callId} ${item.type === 'function_call' ? item.arguments : ''}`;
}
