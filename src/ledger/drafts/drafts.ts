import { z } from 'zod';
import { itemFields, position } from './item-fields.ts';

/** A response of a run that goes on, with the time at which it came. Its other fields are those of a response record. */
const draftResponse = z.looseObject({ id: z.string(), time: z.number(), store: z.boolean() });

/** The items and responses of a run that goes on, as far as the history lacks them. */
const draft = z.object({
  run: z.string(),
  items: z.array(itemFields).readonly(),
  responses: z.array(draftResponse).readonly(),
});

/** The entries of a run that did not come to its end, from one sequence number up to another, which is not included. */
const interruptedTurn = z.object({
  run: z.string(),
  reason: z.string(),
  time: z.number(),
  from: position,
  until: position,
  /** How many of the last entries are results that stand for missing ones. */
  made: position,
});

/** The drafts of runs that go on, and the turns of runs that did not come to their end. */
export const drafts = z.object({
  open: z.array(draft).readonly(),
  interrupted: z.array(interruptedTurn).readonly(),
});

/** The fields of a record that extends or ends a draft. */
export const draftFields = {
  run: z.string(),
  keep: position,
  items: z.array(itemFields),
  responses: z.array(draftResponse),
  /** The draft ends: the history has its items, or the run left none. */
  ended: z.boolean().optional(),
  /** The content of the draft is no part of the history: the log is rewritten without it. */
  forgotten: z.boolean().optional(),
  /** The run did not come to its end: its newest `items` entries, of which it `made` the last ones up. */
  interrupted: z.object({ reason: z.string(), items: position, made: position }).optional(),
};

const draftRecord = z.object(draftFields);

/** The drafts of runs that go on, and the turns of runs that did not come to their end. */
export type Drafts = z.infer<typeof drafts>;
/** The items and responses of a run that goes on. */
export type Draft = z.infer<typeof draft>;
/** The entries of a run that did not come to its end. */
export type InterruptedTurn = z.infer<typeof interruptedTurn>;

/**
 * Extends or ends the draft of a run. An interrupted turn that ends again was completed.
 *
 * @param nextSeq the sequence number of the next entry.
 */
export function draftsAfter(
  { open, interrupted }: Drafts,
  record: z.infer<typeof draftRecord> & { readonly time: number },
  nextSeq: number,
): Drafts {
  const { run, keep, items, responses, ended, time } = record;
  const before = open.find((one) => one.run === run);
  const others = open.filter((one) => one !== before);
  if (ended !== true) {
    const known = before?.responses.filter(({ id }) => !responses.some((one) => one.id === id)) ?? [];
    const kept = before?.items.slice(0, keep) ?? [];
    const draft = { run, items: [...kept, ...items], responses: [...known, ...responses] };
    return { open: [...others, draft], interrupted };
  }
  const { items: count = 0, reason = '', made = 0 } = record.interrupted ?? {};
  const turn = { run, reason, time, from: Math.max(0, nextSeq - count), until: nextSeq, made };
  const earlier = interrupted.filter((one) => one.run !== run);
  return { open: others, interrupted: count === 0 ? earlier : [...earlier, turn] };
}
