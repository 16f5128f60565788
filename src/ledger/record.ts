import { kindOf } from '../items/read-item.ts';
import { itemDigest } from '../items/digest.ts';
import { z } from 'zod';
import type { AgentInputItem } from '@openai/agents';
import { isObject } from '../util/json.ts';
import { LedgerUnreadableError } from '../errors/ledger.ts';
import { parse } from '../util/parse.ts';
import { itemFields, position, type LedgerItem } from './drafts/item-fields.ts';
import { draftFields, drafts } from './drafts/drafts.ts';

export type { LedgerItem } from './drafts/item-fields.ts';

/** A history transaction that was applied: its ID, and the digest of its steps. */
const operation = z.object({ id: z.string(), digest: z.string() });

/**
 * The context that a response ends: how many items, their digest and their bytes as JSON; and when the oldest response was made that it
 * goes back to, unless that is itself.
 */
export const context = z.object({
  length: position,
  digest: z.string(),
  bytes: position.optional(),
  since: z.number().optional(),
  /** The IDs of the calls it ends with that the client has to answer. */
  open: z.array(z.string()).readonly().optional(),
  /** Which server and account made it: a mark that tells them apart and names neither. */
  server: z.string().optional(),
  /** How many tokens a request counts at least that continues from it and has the same frame. */
  tokens: z.object({ least: z.number(), reasoning: z.number(), frame: z.string() }).optional(),
  /** The server may have answered without the context: nothing continues from it. */
  doubtful: z.boolean().optional(),
  /** How often in a row the server did not continue from its responses, and the pause after it: for other processes. */
  refusals: z.object({ count: position, pause: z.number(), until: z.number() }).optional(),
});

/**
 * The input of its model, each field where it was compared: how many items the list lacked then, and whether the history
 * was served whole.
 */
const seen = z.object({ lost: position.optional(), whole: z.boolean().optional() });

/** An item that left the history: the IDs and the digest to recognise it by, never its content. */
const departed = z.object({
  seq: position,
  digest: z.string().nullable(),
  id: z.string().optional(),
  /** The ID it was sent with. */
  sentId: z.string().optional(),
});

/** Facts about a response that the model boundary saw. */
const answerFields = {
  /** The name of the agent that answered. */
  agent: z.string().optional(),
  /** Whether its request continued from a response. */
  plan: z.enum(['chain', 'replay']).optional(),
  /** The tokens that the server counted. */
  usage: z
    .object({ requests: position, input: position, cached: position, output: position, reasoning: position })
    .optional(),
};

/** The fields of a view. */
const viewFields = {
  /** A model sees every item from this sequence number on. */
  from: position,
  /** The items before this sequence number that a model still sees, behind the compaction. */
  left: z.array(position).optional(),
  items: z.array(itemFields),
};

const rewrittenView = z.object({ ...viewFields, covers: z.number().int() });

/** Values of the app. */
const metadata = z.record(z.string(), z.json());

/** A session that went on from a turn of this one: its name, and the sequence number of its first own item. */
const fork = z.object({ sessionId: z.string(), nextSeq: position, time: z.number() });

const lease = z.object({ writer: z.string(), taken: z.number(), until: z.number() });

/** The fields of the record a rewritten log begins with: the whole state, without its entries. */
const stateFields = {
  nextSeq: position,
  began: z.string().optional(),
  responses: z.array(
    z.object({
      id: z.string(),
      time: z.number(),
      store: z.boolean(),
      model: z.string().optional(),
      parent: z.string().optional(),
      context: context.optional(),
      seen: seen.optional(),
      ...answerFields,
      nextSeq: position,
      history: z.string(),
    }),
  ),
  refused: z.array(z.string()),
  dropped: z.array(departed),
  possibleDuplicates: z.array(departed.extend({ copies: position, time: z.number() })),
  /** Every ID that was taken out of the history, and whether the conversation may still hold it. */
  removed: z.array(z.object({ id: z.string(), pending: z.boolean() })),
  operations: z.array(operation),
  rewound: z.boolean(),
  lease: lease.optional(),
  compacting: lease.optional(),
  conversation: z.string().optional(),
  healed: z.string().optional(),
  former: z.array(z.object({ id: z.string(), fate: z.enum(['kept', 'due', 'deleted']) })),
  alias: z.string().optional(),
  views: z.array(rewrittenView).optional(),
  metadata: metadata.optional(),
  forks: z.array(fork).optional(),
  drafts: drafts.optional(),
};

/** The fields of a record that holds entries of the state as they were when the log was rewritten. */
const entriesFields = {
  entries: z.array(
    z.object({
      seq: position,
      kind: z.string(),
      digest: z.string().nullable(),
      id: z.string().optional(),
      item: z.custom<AgentInputItem>(isObject).optional(),
      origin: z.string(),
      mirrorId: z.string().optional(),
      assumed: z.boolean().optional(),
      written: z.object({ commit: z.string(), time: z.number() }).optional(),
      link: z.string().optional(),
      unlinked: z.boolean(),
      adopted: z.boolean(),
      skipped: z.string().optional(),
      commit: z.string(),
      due: z.number(),
    }),
  ),
};

/** The fields of the record a rewritten log ends with. */
const rewrittenFields = {
  /** The names of the newest appends that the log held before: a writer whose response was lost looks for its own. */
  replaced: z.array(z.string()),
};

/** The version of the record and checkpoint format. A ledger of another version is refused. */
export const LEDGER_FORMAT = 3;

const common = {
  v: z.literal(LEDGER_FORMAT),
  /** Names the append this record belongs to, so that an append whose response was lost can be recognised. */
  commit: z.string(),
  /** Milliseconds since the epoch. */
  time: z.number(),
};

const mirrored = z.object({ seq: position, id: z.string() });

const added = mirrored.extend({
  /** The list did not show the item: the ID is the one in a response, and the conversation may have another one. */
  assumed: z.boolean().optional(),
});

/** The context that a response ends. */
export type RecordedContext = z.infer<typeof context>;

const recordSchema = z.discriminatedUnion('type', [
  z.object({
    ...common,
    type: z.literal('items'),
    items: z.array(itemFields),
    operation: operation.optional(),
    /** Nothing proves that no item is missing beside these. */
    unproven: z.boolean().optional(),
  }),
  z.object({
    ...common,
    type: z.literal('replace'),
    /** How many items from the beginning stay. */
    keep: position,
    /** The items behind these: ones that were there already, by their sequence number, and new ones. */
    items: z.array(z.union([z.object({ seq: position }), itemFields])),
    operation: operation.optional(),
  }),
  z.object({ ...common, type: z.literal('pop') }),
  /** A compaction: a model sees these items in place of the items before this sequence number, which stay. */
  z.object({ ...common, type: z.literal('view'), ...viewFields }),
  z.object({ ...common, type: z.literal('clear') }),
  z.object({
    ...common,
    type: z.literal('mirror'),
    added: z.array(added),
    /** IDs that are no longer in the conversation. */
    removed: z.array(z.string()),
    /** IDs in the conversation that belong to no item, or to one at another place: they have to leave again. */
    surplus: z.array(z.string()).optional(),
    /** Items that are written although an earlier try may have been applied and only not be shown yet. */
    again: z.array(position).optional(),
    /** The conversation lacks this item and holds later ones: all of these are written again behind it. */
    behind: position.optional(),
    /** IDs under which an earlier try turned out to have been applied: they have to leave again. */
    duplicates: z.array(mirrored).optional(),
    /** No write of these that has no answer can take effect any more. */
    resolved: z.array(position).optional(),
    /** The list was read: items that left the history unwritten are not in the conversation. */
    settled: z.boolean().optional(),
    /** Nothing is left to write: another writer may take the lease. */
    released: z.boolean().optional(),
    /** Items that the API has no form for, with the reason: they live in the ledger alone. */
    skipped: z.array(z.object({ seq: position, reason: z.string() })).optional(),
    /** Items of which the API holds nothing, or something else, under the ID: they are written without one. */
    unlinked: z.array(position).optional(),
    /** Earlier conversations of the session that no longer exist. */
    deleted: z.array(z.string()).optional(),
  }),
  z.object({
    ...common,
    type: z.literal('response'),
    id: z.string(),
    parent: z.string().optional(),
    model: z.string().optional(),
    store: z.boolean(),
    /** Length and digest of the context it ends, where the model boundary saw that context. */
    context: context.optional(),
    seen: seen.optional(),
    ...answerFields,
    /** The digest of the whole history at that moment, where it differs from the digest of the records before. */
    history: z.string().optional(),
  }),
  /** A run goes on: the first `keep` items of its draft, and these. They are no entries yet. */
  z.object({ ...common, type: z.literal('draft'), ...draftFields }),
  /** One writer at a time writes to the conversation, or compacts, until then (milliseconds since the epoch). */
  z.object({
    ...common,
    type: z.literal('lease'),
    writer: z.string(),
    until: z.number(),
    of: z.literal('compaction').optional(),
  }),
  /** The app's values are these. */
  z.object({ ...common, type: z.literal('metadata'), values: metadata }),
  /** Another session goes on from the items before this sequence number. */
  z.object({ ...common, type: z.literal('fork'), sessionId: z.string(), nextSeq: position }),
  /** The record at this position was the last one when it was found damaged: it is passed over. */
  z.object({ ...common, type: z.literal('repair'), position }),
  /** The store was found to have lost records: the records before are not proven to be complete. */
  z.object({ ...common, type: z.literal('rewound') }),
  /** The server refused to continue from this response, or to take this item: it is not offered again. */
  z.object({ ...common, type: z.literal('refused'), id: z.string() }),
  /** The history is mirrored to this conversation from here on; the items have no place in it yet. */
  z.object({ ...common, type: z.literal('conversation'), id: z.string() }),
  /** This ID is the conversation of the session of that name. */
  z.object({ ...common, type: z.literal('alias'), sessionId: z.string() }),
  /** A rewritten log begins with the state it replaces, goes on with the entries of that state, and ends with `rewritten`. */
  z.object({ ...common, type: z.literal('state'), ...stateFields }),
  z.object({ ...common, type: z.literal('entries'), ...entriesFields }),
  z.object({ ...common, type: z.literal('rewritten'), ...rewrittenFields }),
]);

/**
 * The data to resume from a checkpoint without reading earlier records: the sequence number of the next item, the name of
 * the newest append, and at most how many changes the conversation lacks. Absent where more than that has to be known.
 */
const resumePoint = z.object({
  nextSeq: position,
  commit: z.string(),
  pending: position,
  /** Whether a process holds the lease. */
  leased: z.boolean().optional(),
  /** How many runs have a draft. */
  drafts: position.optional(),
});

/** The record from which on the part of a history that a model sees can be read, and the whole history before that record. */
const beginning = z.object({ at: position, length: position, digest: z.string(), nextSeq: position });

const checkpointSchema = z.object({
  format: z.literal(LEDGER_FORMAT),
  version: position,
  length: position,
  digest: z.string(),
  /** The append that the session began with: after a deletion another session has the same name. */
  began: z.string().optional(),
  /** The part of the history that a model sees, where that is not all of it. */
  seen: z.object({ length: position, digest: z.string(), begins: beginning.optional() }).optional(),
  response: z
    .object({
      id: z.string(),
      time: z.number(),
      store: z.boolean(),
      model: z.string().optional(),
      /** The server would not continue from it. */
      refused: z.boolean().optional(),
      context: context.optional(),
      agent: z.string().optional(),
    })
    .optional(),
  resumePoint: resumePoint.optional(),
  /** The conversation that the history is mirrored to. */
  conversation: z.string().optional(),
  /** The session whose conversation has this ledger's ID for its own. */
  alias: z.string().optional(),
  metadata: metadata.optional(),
});

/** One step in the life of a session. Records are appended, or all of them are replaced at once. */
export type LedgerRecord = z.infer<typeof recordSchema>;
/** A view as a rewritten log holds it. */
export type RewrittenView = z.infer<typeof rewrittenView>;
/** A record without the fields that all records have. */
export type LedgerEntryOf<T extends LedgerRecord['type']> = Omit<
  Extract<LedgerRecord, { type: T }>,
  'v' | 'commit' | 'time'
>;
/** A step before it becomes a record; with a time of its own where it happened before. */
export type LedgerStep = {
  [T in LedgerRecord['type']]: LedgerEntryOf<T> & { readonly time?: number };
}[Exclude<LedgerRecord['type'], 'state' | 'entries' | 'rewritten'>];

/**
 * A session at one moment, of a size that does not grow with it.
 *
 * `version` counts records, `length` items; `digest` covers the items; `response` is the newest one recorded.
 */
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** The record from which on the part of a history that a model sees can be read. */
export type Beginning = z.infer<typeof beginning>;
/** Facts about a response that the model boundary saw. */
export interface AnswerFacts extends z.infer<z.ZodObject<typeof answerFields>> {}
/** Values of the app. */
export type SessionMetadata = z.infer<typeof metadata>;
/** A session that went on from a turn of this one. */
export type RecordedFork = z.infer<typeof fork>;

/** The record of a step. */
export function recordOf(
  step: LedgerStep,
  { commit, time }: Pick<LedgerRecord, 'commit' | 'time'>,
): LedgerRecord {
  return { v: LEDGER_FORMAT, commit, time, ...step };
}

/** @throws LedgerUnreadableError naming the session and the position. */
export function parseRecord(value: unknown, sessionId: string, at: number): LedgerRecord {
  const parsed = parse(recordSchema, value);
  if (parsed.success) return parsed.data;
  throw unreadable(value, 'v', sessionId, at, parsed.error);
}

/** @throws LedgerUnreadableError naming the session. */
export function parseCheckpoint(value: unknown, sessionId: string): Checkpoint {
  const parsed = parse(checkpointSchema, value);
  if (parsed.success) return parsed.data;
  throw unreadable(value, 'format', sessionId, undefined, parsed.error);
}

function unreadable(
  value: unknown,
  versionKey: string,
  sessionId: string,
  at: number | undefined,
  error: z.ZodError,
): LedgerUnreadableError {
  const version = isObject(value) ? value[versionKey] : undefined;
  if (typeof version === 'number' && version !== LEDGER_FORMAT) {
    const isNewer = version > LEDGER_FORMAT;
    const remedy = isNewer ? 'update agents-hybrid-session' : 'begin with an empty ledger';
    const problem = `it has format ${version}, and this version reads format ${LEDGER_FORMAT}; ${remedy}`;
    return new LedgerUnreadableError(sessionId, at, isNewer ? 'newer_format' : 'older_format', problem);
  }
  const [issue] = error.issues;
  const problem = `it is damaged at '${issue?.path.join('.') ?? ''}' (${issue?.code ?? 'unknown'})`;
  return new LedgerUnreadableError(sessionId, at, 'damaged', problem);
}

/** An item as a record holds it. */
export function ledgerItem(item: AgentInputItem, keepContent: boolean): LedgerItem {
  const id = 'id' in item ? item.id : undefined;
  return {
    digest: itemDigest(item),
    kind: kindOf(item),
    ...(typeof id === 'string' ? { id } : {}),
    ...(keepContent ? { item } : {}),
  };
}
