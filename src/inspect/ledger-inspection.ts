import type { AgentInputItem } from '@openai/agents';

/** One item as the ledger has it. */
export interface InspectedItem {
  /** Position in the history, counted from 0. */
  readonly index: number;
  readonly kind: string;
  /** The digest of its content; null for reasoning, which no digest covers. */
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

/** One session as its ledger describes it. */
export interface LedgerInspection {
  readonly sessionId: string;
  /** The ledger's version: how many records were appended, those included that a rewrite has replaced. */
  readonly records: number;
  /** How many items the history has. */
  readonly length: number;
  /** The rolling digest over them. */
  readonly digest: string;
  /** Whether the records lead to the length and the digest of the store's checkpoint. */
  readonly consistent: boolean;
  readonly turns: readonly InspectedTurn[];
  /** How many items were adopted from a list, which may have lost others; all where the store has lost records. */
  readonly unproven: number;
  /** The conversation that the history is mirrored to; undefined where there is none. */
  readonly conversation: string | undefined;
  /** Earlier conversations of the session, oldest first. */
  readonly former: readonly string[];
  /** The changes that the conversation lacks: positions of items to be written, IDs to be taken out. */
  readonly pending: { readonly write: readonly number[]; readonly remove: readonly string[] };
  /** The process that may write to the conversation, and until when, in milliseconds since the epoch. */
  readonly lease: { readonly writer: string; readonly until: number } | undefined;
  /** The responses from which the server refused to continue, and the items that it refused. */
  readonly refused: readonly string[];
  /** IDs of the history transactions and imports that were applied. */
  readonly operations: readonly string[];
  readonly damaged: readonly DamagedRecord[];
}
