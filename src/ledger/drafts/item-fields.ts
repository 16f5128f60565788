import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { isObject } from '../../util/json.ts';

/** A whole number from 0. */
export const position: z.ZodNumber = z.number().int().nonnegative();

/** The fields of an item as a record holds it. */
export const itemFields = z.object({
  digest: z.string().nullable(),
  kind: z.string(),
  /** The ID the item came with: the model's, or the list's. */
  id: z.string().optional(),
  /** The item itself; absent when the ledger keeps no content. */
  item: z.custom<AgentInputItem>(isObject).optional(),
  /** The ID it already has in the conversation, when it was adopted from there. */
  mirrorId: z.string().optional(),
  /** The ID under which the API stores it, by which the conversation is asked to link it instead of taking a copy. */
  link: z.string().optional(),
});
