import type { AgentInputItem } from '@openai/agents';
import type { HistoryIncompleteError } from '../../../src/index.ts';
import type { SimulatorItem } from '../../../mocks/index.ts';
import { textOf } from '../../../mocks/index.ts';
import { texts } from '../../support/conversation.ts';
import type { SessionWorld } from './session-world.ts';

/**
 * A known limit: where the ledger holds no content (`keepContent: false`, or the conversation's metadata), what a process
 * has not written to the conversation yet goes with it, and what the list has lost is only in its response, if that was
 * stored. Then the session says so.
 *
 * @returns whether everything that it misses is indeed nowhere any more.
 */
export function isNowhere(world: SessionWorld, { missing }: HistoryIncompleteError): boolean {
  const { store, options } = world.settings;
  if (store !== 'conversation' && options.keepContent !== false) return false;
  const { conversations, responses } = world.simulator.snapshot();
  const listed = conversations.filter(({ id }) => id === world.sessionId).flatMap(({ items }) => items);
  // Metadata do not tell either which of two copies is the new one where a change was being written again behind itself.
  const isRewriting = new Set(listed.map((item) => nameOf(item))).size < listed.length;
  return world.expected.possible.some((expected) => {
    // A response that nobody was told of cannot be asked for.
    const known = new Set(store === 'conversation' ? expected.responses.slice(-1) : expected.responses);
    for (const { id, previousResponseId } of responses.toReversed())
      if (known.has(id) && previousResponseId !== undefined) known.add(previousResponseId);
    const answered = responses
      .filter(({ id }) => known.has(id))
      .flatMap(({ input, output }) => [...input, ...output]);
    const held = new Set([...listed, ...answered].map((item) => nameOf(item)));
    const isHeld = (item: AgentInputItem): boolean => held.has(nameOfOwn(item));
    // Metadata tell how many items there are, not which.
    if (store === 'conversation') return isRewriting || expected.items.some((item) => !isHeld(item));
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
