import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from '../../../src/items/digest.ts';
import { texts } from '../../support/conversation.ts';

const known = new WeakMap<AgentInputItem, string>();

/** An item as a line that people can read and that is equal exactly when a model reads the same. */
export function described(item: AgentInputItem): string {
  const line = known.get(item) ?? describe(item);
  known.set(item, line);
  return line;
}

/** Items as lines. */
export function describedAll(items: readonly AgentInputItem[]): string[] {
  return items.map((item) => described(item));
}

function describe(item: AgentInputItem): string {
  const digest = itemDigest(item)?.slice(0, 6) ?? '';
  if ('role' in item) return `${item.role} '${texts([item]).join('').slice(0, 40)}' ${digest}`;
  return 'callId' in item ? `${item.type} ${item.callId} ${digest}` : `${item.type ?? ''} ${digest}`;
}
