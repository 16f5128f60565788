import {
  HistoryIncompleteError,
  memoryLedger,
  type Checkpoint,
  type LedgerStore,
  type MissingItem,
  conversationMetadata,
} from '../../index.ts';
import { findSession, HEALS_KEY } from '../../doctor.ts';
import { diagnose, recordDiagnosis, type Diagnosis, type CaveatKind } from '../../doctor.ts';
import { CommandError, UsageError } from '../command.ts';
import type { OpenedConversation } from '../setup/conversation.ts';
import type OpenAI from 'openai';

/** Neither the ledger nor a response knows the conversation. */
export class UnknownHistory extends CommandError {}

/** The input of a heal. */
export interface HealInput {
  readonly sessionId: string;
  readonly ledger: LedgerStore;
  /** The target conversation, if an interrupted heal needs `--to` to continue in it. */
  readonly to: string | undefined;
  /** Whether sessions with the old ID will continue in the new conversation. */
  readonly follows: boolean;
  /** Caveats, for people. */
  readonly notes: readonly string[];
}

/** Options of `prepareHealInput()`. */
export interface HealInputOptions {
  readonly dryRun: boolean;
  readonly to: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The ledger that knows the conversation, else a ledger with the history that the responses hold.
 *
 * @throws UnknownHistory when no source knows the conversation; HistoryIncompleteError when items are missing.
 */
export async function prepareHealInput(
  opened: OpenedConversation,
  options: HealInputOptions,
): Promise<HealInput> {
  const { dryRun, to } = options;
  const { conversationId, responses } = opened;
  const given = opened.ledger?.store;
  if (to !== undefined && !to.startsWith('conv_')) {
    const problem = '--to must be the ID of the conversation that a heal has begun';
    throw new UsageError(
      problem,
      `agents-hybrid-session heal ${conversationId} --response resp_... --to conv_...`,
    );
  }
  const sessionId = given === undefined ? conversationId : await findSession(given, conversationId);
  const checkpoint = await given?.checkpoint(sessionId);
  if (given !== undefined && checkpoint !== undefined) {
    if (to !== undefined)
      throw new UsageError(
        '--to is for a heal without a ledger: this one knows where it goes on',
        `agents-hybrid-session heal ${conversationId} --ledger ...`,
      );
    const isWanted = responses.length > 0;
    const ledger = isWanted && dryRun ? await copyOf(given, sessionId, checkpoint) : given;
    const notes = isWanted ? [await completed(opened, ledger, options)] : [];
    return { sessionId, ledger, to: undefined, follows: true, notes };
  }
  if (to !== undefined && given !== undefined)
    throw new UsageError(
      '--to is for a heal without a ledger',
      `agents-hybrid-session heal ${conversationId} --response resp_... --to ${to}`,
    );
  const name = opened.ledger?.name;
  const unknown =
    given === undefined
      ? 'No ledger was given'
      : `The ledger ${name ?? ''} does not know '${conversationId}'`;
  const hint = `agents-hybrid-session heal ${conversationId} --response resp_... (or --response - for a list)`;
  if (responses.length === 0) throw new UnknownHistory('nothing_known', `${unknown}, and no response`, hint);
  const diagnosis = await diagnosed(opened, undefined, options);
  requireKnown(diagnosis, unknown, hint);
  const isDurable = given !== undefined;
  const ledger = isDurable && !dryRun ? given : memoryLedger();
  const target = isDurable || dryRun ? undefined : await targetOf(opened, to);
  await recordDiagnosis(ledger, diagnosis, { to: target?.id });
  const resumable = target?.isMarked === true ? target.id : undefined;
  return { sessionId: conversationId, ledger, to: resumable, follows: isDurable, notes: notesOf(diagnosis) };
}

function diagnosed(
  { client, conversationId, responses, progress }: OpenedConversation,
  ledger: LedgerStore | undefined,
  { signal }: HealInputOptions,
): Promise<Diagnosis> {
  return diagnose({
    client,
    conversationId,
    ledger,
    responses,
    content: true,
    signal,
    onProgress: ({ stage, done, total }) =>
      progress.update(`Reading the ${stage}: ${done}${total === undefined ? '' : ` of ${total}`}`),
  });
}

/** Adds items from responses to a ledger that began with a damaged list. @returns a message. */
async function completed(
  opened: OpenedConversation,
  ledger: LedgerStore,
  options: HealInputOptions,
): Promise<string> {
  const diagnosis = await diagnosed(opened, ledger, options);
  const known = (await ledger.checkpoint(await findSession(ledger, opened.conversationId)))?.length ?? 0;
  if (diagnosis.length <= known) return 'The responses hold no item that the ledger lacks.';
  const added = await recordDiagnosis(ledger, diagnosis);
  return added === 0
    ? 'The items of the responses contradict the ledger: they were left out.'
    : `${added} item(s) were restored from the responses.`;
}

/** A copy of the ledger, for a dry run. */
async function copyOf(ledger: LedgerStore, sessionId: string, checkpoint: Checkpoint): Promise<LedgerStore> {
  const copy = memoryLedger();
  const { records } = await ledger.read(sessionId, 0, checkpoint.version);
  await copy.append(sessionId, records, checkpoint, 0);
  return copy;
}

async function targetOf(
  { client, conversationId, progress }: OpenedConversation,
  to: string | undefined,
): Promise<HealTarget> {
  if (to !== undefined) {
    await requireTarget(client, to, conversationId);
    return { id: to, isMarked: true };
  }
  const target = await createTarget(client, conversationId);
  const { id, isMarked } = target;
  progress.note(
    isMarked
      ? `Begun ${id}. After an interruption, continue with --to ${id}`
      : `Begun ${id}. Its metadata have no room for a mark: after an interruption, delete it and begin again`,
  );
  return target;
}

function requireKnown(diagnosis: Diagnosis, unknown: string, hint: string): void {
  const { conversationId, evidence, timeline, caveats } = diagnosis;
  if (evidence === 'list') {
    throw new UnknownHistory('nothing_known', `${unknown}, and none of the responses belongs to it`, hint);
  }
  const nowhere = timeline.flatMap(({ index, kind, id, sources }): MissingItem[] =>
    index === null || sources.length > 0 || kind === 'reasoning'
      ? []
      : [{ index, kind, ...(id === null ? {} : { id }) }],
  );
  const isCutOff = caveats.some(({ kind }) => kind === 'response_missing');
  const unanswered = caveats.flatMap(({ kind, indexes }) => (kind === 'unanswered' ? indexes : []));
  const answers = isCutOff ? unanswered.map((index) => ({ index, kind: 'answer to this' })) : [];
  if (nowhere.length + answers.length === 0) return;
  throw new HistoryIncompleteError(conversationId, nowhere.length > 0 ? nowhere : answers);
}

/** The caveats as messages. */
function notesOf({ caveats }: Diagnosis): string[] {
  const words: Partial<Record<CaveatKind, string>> = {
    before_first: 'Losses before the oldest of these responses are not known.',
    unaccounted:
      'Some items of the list belong to none of these responses: losses beside them are not known.',
    unanswered: 'Some messages or tool calls have no known answer.',
    lone_reasoning: 'Some reasoning has no output after it: it was lost.',
    response_unknown:
      'Some of the responses could not be read, and nothing says that they belong to the conversation.',
    response_missing: 'Some of the responses could not be read any more.',
  };
  return caveats.flatMap(({ kind }) => words[kind] ?? []);
}

/** The API's limit. */
const MAX_METADATA_PAIRS = 16;

/** The conversation that a heal writes to. */
export interface HealTarget {
  readonly id: string;
  /** Whether its metadata name the old conversation: only then an interrupted heal can continue in it. */
  readonly isMarked: boolean;
}

/** Creates the target conversation, with the user's metadata of the old one. */
async function createTarget(client: OpenAI, conversationId: string): Promise<HealTarget> {
  const { own = {} } = (await conversationMetadata(client, conversationId)) ?? {};
  const isMarked = Object.keys(own).length < MAX_METADATA_PAIRS;
  const metadata = isMarked ? { ...own, [HEALS_KEY]: conversationId } : own;
  return { id: (await client.conversations.create({ metadata })).id, isMarked };
}

/**
 * Requires that a heal of the other conversation created this one: a heal removes foreign items from it.
 *
 * @throws UsageError otherwise.
 */
async function requireTarget(client: OpenAI, to: string, conversationId: string): Promise<void> {
  const found = await conversationMetadata(client, to);
  if (found?.heals === conversationId) return;
  throw new UsageError(
    `'${to}' was not begun by a heal of '${conversationId}'`,
    `agents-hybrid-session heal ${conversationId} --response resp_... (without --to: a new conversation)`,
  );
}
