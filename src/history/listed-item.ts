import type { AgentInputItem } from '@openai/agents';

/** An item of the conversation's list, in the SDK's form. */
export interface ListedItem {
  readonly id: string;
  readonly item: AgentInputItem;
}

/** Where an entry of the ledger stands in the list and in the history, both counted from 0. */
export interface Match {
  readonly position: number;
  readonly index: number;
}
