import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { isObject } from '../../util/json.ts';

/** A whole number from 0. */
export const position: z.ZodNumber = z.number().int().nonnegative();

/** One item as a record holds it. */
export interface LedgerItem {
  digest: string | null;
  kind: string;
  /** The ID the item came with: the model's, or the list's. */
  id?: string | undefined;
  /** The item itself; absent when the ledger keeps no content. */
  item?: AgentInputItem | undefined;
  /** The ID it already has in the conversation, when it was adopted from there. */
  mirrorId?: string | undefined;
  /** The ID under which the API stores it, by which the conversation is asked to link it instead of taking a copy. */
  link?: string | undefined;
}

/** The schema of an item as a record holds it. */
export const itemFields: z.ZodType<LedgerItem> = z.object({
  digest: z.string().nullable(),
  kind: z.string(),
  id: z.string().optional(),
  item: z.custom<AgentInputItem>(isObject).optional(),
  mirrorId: z.string().optional(),
  link: z.string().optional(),
});
