import {
  diagnose,
  HistoryIncompleteError,
  memoryLedger,
  recordDiagnosis,
  type Diagnosis,
  type LedgerHead,
  type LedgerStore,
  type LimitKind,
  type MissingItem,
} from '../index.ts';
import { CommandError, UsageError } from './command-error.ts';
import type { OpenedConversation } from './conversation-command.ts';
import { createTarget, requireTarget } from './heal-target.ts';

/** Neither a ledger nor a response says what the conversation was. */
export class UnknownHistory extends CommandError {}

/** Where a heal takes the history from. */
export interface HealSource {
  readonly conversationId: string;
  readonly ledger: LedgerStore;
  /** The conversation that the history goes to, where only this says so. */
  readonly to: string | undefined;
  /** Whether sessions that know the old ID will go on in the new conversation. */
  readonly follows: boolean;
  /** What is not known, for people. */
  readonly notes: readonly string[];
}

/** What is asked for. */
export interface HealSourceOptions {
  readonly dryRun: boolean;
  readonly to: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The ledger that knows the conversation; else one into which is written what its responses tell.
 *
 * @throws UnknownHistory when nothing tells; HistoryIncompleteError when something is known to be missing.
 */
export async function healSource(
  opened: OpenedConversation,
  options: HealSourceOptions,
): Promise<HealSource> {
  const { dryRun, to } = options;
  const { conversationId, responses } = opened;
  const given = opened.ledger?.store;
  if (to !== undefined && !to.startsWith('conv_')) {
    const problem = '--to must be the ID of the conversation that a heal has begun';
    throw new UsageError(problem, `hybrid-session heal ${conversationId} --response resp_... --to conv_...`);
  }
  const head = await given?.head(conversationId);
  if (given !== undefined && head !== undefined) {
    if (to !== undefined)
      throw new UsageError(
        '--to is for a heal without a ledger: this one knows where it goes on',
        `hybrid-session heal ${conversationId} --ledger ...`,
      );
    const isWanted = responses.length > 0 && head.move?.done !== true && opened.ledger?.isElsewhere === true;
    const ledger = isWanted && dryRun ? await copyOf(given, conversationId, head) : given;
    const notes = isWanted ? [await completed(opened, ledger, options)] : [];
    return { conversationId, ledger, to: undefined, follows: true, notes };
  }
  if (to !== undefined && opened.ledger?.isElsewhere === true)
    throw new UsageError(
      '--to is for a heal without a ledger',
      `hybrid-session heal ${conversationId} --response resp_... --to ${to}`,
    );
  const name = opened.ledger?.name;
  const unknown =
    given === undefined
      ? 'No ledger was given'
      : `The ledger ${name ?? ''} does not know '${conversationId}'`;
  const hint = `hybrid-session heal ${conversationId} --response resp_... (or --response - for a list)`;
  if (responses.length === 0) throw new UnknownHistory('nothing_known', `${unknown}, and no response`, hint);
  const diagnosis = await diagnosed(opened, undefined, options);
  requireKnown(diagnosis, unknown, hint);
  const isDurable = given !== undefined && opened.ledger?.isElsewhere === true;
  const ledger = isDurable && !dryRun ? given : memoryLedger();
  const target = isDurable || dryRun ? undefined : await targetOf(opened, to);
  await recordDiagnosis(ledger, diagnosis, { to: target });
  return { conversationId, ledger, to: target, follows: isDurable, notes: notesOf(diagnosis) };
}

function diagnosed(
  { client, conversationId, responses, progress }: OpenedConversation,
  ledger: LedgerStore | undefined,
  { signal }: HealSourceOptions,
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

/** A ledger that took over a damaged list learns what that had lost. @returns what it learnt, for people. */
async function completed(
  opened: OpenedConversation,
  ledger: LedgerStore,
  options: HealSourceOptions,
): Promise<string> {
  const diagnosis = await diagnosed(opened, ledger, options);
  const known = (await ledger.head(opened.conversationId))?.length ?? 0;
  if (diagnosis.length <= known) return 'The responses told nothing that the ledger does not know.';
  const added = await recordDiagnosis(ledger, diagnosis);
  return added === 0
    ? 'What the responses tell does not fit into what the ledger says: it was left out.'
    : `${added} item(s) were restored from the responses.`;
}

/** A ledger to try things out in. */
async function copyOf(ledger: LedgerStore, conversationId: string, head: LedgerHead): Promise<LedgerStore> {
  const copy = memoryLedger();
  const { records } = await ledger.read(conversationId, 0, head.version);
  await copy.append(conversationId, records, head, 0);
  return copy;
}

async function targetOf(
  { client, conversationId, progress }: OpenedConversation,
  to: string | undefined,
): Promise<string> {
  if (to !== undefined) {
    await requireTarget(client, to, conversationId);
    return to;
  }
  const created = await createTarget(client, conversationId);
  progress.note(`Begun ${created}. Should this be interrupted, go on with --to ${created}`);
  return created;
}

function requireKnown(diagnosis: Diagnosis, unknown: string, hint: string): void {
  const { conversationId, proof, verdict, timeline, limits } = diagnosis;
  if (proof === 'list') {
    throw new UnknownHistory('nothing_known', `${unknown}, and none of the responses belongs to it`, hint);
  }
  if (verdict !== 'beyond') return;
  const nowhere = timeline.flatMap(({ index, kind, id, places }): MissingItem[] =>
    index === null || places.length > 0 || kind === 'reasoning'
      ? []
      : [{ index, kind, ...(id === null ? {} : { id }) }],
  );
  const unanswered = limits.flatMap(({ kind, indexes }) => (kind === 'unanswered' ? indexes : []));
  const answers = unanswered.map((index) => ({ index, kind: 'answer to this' }));
  throw new HistoryIncompleteError(conversationId, nowhere.length > 0 ? nowhere : answers);
}

/** What the responses could not tell. */
function notesOf({ limits }: Diagnosis): string[] {
  const words: Partial<Record<LimitKind, string>> = {
    before_first: 'What was lost before the oldest of these responses, and is in none of them, is not known.',
    unaccounted:
      'Some items of the list belong to none of these responses: what was lost around them is not known.',
    unanswered: 'Something was said, or a tool was called, and no answer to it is known.',
    response_missing: 'Some of the responses could not be read any more.',
  };
  return limits.flatMap(({ kind }) => words[kind] ?? []);
}
