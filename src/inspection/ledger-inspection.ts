import type { AgentInputItem } from '@openai/agents';

/** One item as the ledger has it. */
export interface InspectedItem {
  /** Position in the history, counted from 0. */
  readonly index: number;
  readonly kind: string;
  /** What a model reads of it; null for reasoning, which no digest covers. */
  readonly digest: string | null;
  /** The ID it came with. */
  readonly id: string | undefined;
  /** The ID it has in the conversation; undefined while it is not there. */
  readonly mirrorId: string | undefined;
  /** Why the conversation can never hold it. */
  readonly skipped: string | undefined;
  /** Whether the ledger holds its content. */
  readonly kept: boolean;
  /** The content, where it was asked for and is kept. */
  readonly item: AgentInputItem | undefined;
}

/** One response as the ledger has it. */
export interface InspectedResponse {
  readonly id: string;
  /** Milliseconds since the epoch, when it was recorded. */
  readonly time: number;
  readonly model: string | undefined;
  /** The response it was continued from. */
  readonly parent: string | undefined;
  readonly store: boolean;
  /** The context it ends, where the model boundary saw that: how many items, and their digest. */
  readonly context: { readonly length: number; readonly digest: string } | undefined;
  /** Whether the server refused to continue from it. */
  readonly refused: boolean;
}

/** The items between two ends of turns, and the responses that the turn ended with; none while it is open. */
export interface InspectedTurn {
  readonly items: readonly InspectedItem[];
  readonly responses: readonly InspectedResponse[];
}

/** A record that cannot be read. */
export interface DamagedRecord {
  readonly position: number;
  readonly reason: string;
}

/** What a ledger says of one session. */
export interface LedgerInspection {
  readonly sessionId: string;
  /** How many records were appended. */
  readonly records: number;
  /** How many items the history has. */
  readonly length: number;
  /** The rolling digest over them. */
  readonly digest: string;
  /** Whether the records come to what the store's head says: length and digest. */
  readonly consistent: boolean;
  /** How many items lie before the records, where the store keeps no beginning. */
  readonly before: number;
  readonly turns: readonly InspectedTurn[];
  /** How many items were adopted from a list of which the ledger knew nothing. */
  readonly unproven: number;
  /** Whether it knows of a conversation; undefined is no answer: a head alone does not say. */
  readonly mirrored: boolean | undefined;
  /** What the conversation does not have yet: positions of items to be written, IDs to be taken out. */
  readonly pending: { readonly write: readonly number[]; readonly remove: readonly string[] };
  /** Who may write to the conversation, and until when, in milliseconds since the epoch. */
  readonly lease: { readonly writer: string; readonly until: number } | undefined;
  /** The responses from which the server refused to continue. */
  readonly refused: readonly string[];
  /** IDs of the history transactions and imports that were applied. */
  readonly operations: readonly string[];
  /** Whether the session was cleared and its conversation may still exist. */
  readonly cleared: boolean;
  readonly damaged: readonly DamagedRecord[];
}
