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
  if (store !== 'bookmark' && options.keepContent !== false) return false;
  const { conversations, responses } = world.simulator.snapshot();
  const listed = conversations.filter(({ id }) => id === world.conversationId).flatMap(({ items }) => items);
  // Metadata do not tell either which of two copies is the new one where a change was being written again behind itself.
  const isRewriting = new Set(listed.map((item) => nameOf(item))).size < listed.length;
  return world.expected.possible.some((expected) => {
    // A response without a record cannot be asked for.
    const known = new Set(store === 'bookmark' ? expected.responses.slice(-1) : expected.responses);
    for (const { id, previousResponseId } of responses.toReversed())
      if (known.has(id) && previousResponseId !== undefined) known.add(previousResponseId);
    const answered = responses
      .filter(({ id }) => known.has(id))
      .flatMap(({ input, output }) => [...input, ...output]);
    const held = new Set([...listed, ...answered].map((item) => nameOf(item)));
    const isHeld = (item: AgentInputItem): boolean => held.has(nameOfOwn(item));
    // Metadata tell how many items there are, not which.
    if (store === 'bookmark') return isRewriting || expected.items.some((item) => !isHeld(item));
    return missing.every(({ index }) => {
      const item = expected.items[index];
      return item !== undefined && !isHeld(item);
    });
  });
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
