import {
  diagnose,
  HistoryIncompleteError,
  memoryLedger,
  recordDiagnosis,
  type Diagnosis,
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
  { dryRun, to, signal }: HealSourceOptions,
): Promise<HealSource> {
  const { conversationId, client, responses, progress } = opened;
  const given = opened.ledger?.store;
  if (to !== undefined && !to.startsWith('conv_')) {
    const problem = '--to must be the ID of the conversation that a heal has begun';
    throw new UsageError(problem, `hybrid-session heal ${conversationId} --response resp_... --to conv_...`);
  }
  if (given !== undefined && (await given.head(conversationId)) !== undefined) {
    if (to !== undefined)
      throw new UsageError(
        '--to is for a heal without a ledger: this one knows where it goes on',
        `hybrid-session heal ${conversationId} --ledger ...`,
      );
    const notes =
      responses.length === 0 ? [] : ['The ledger knows the history: the responses were not needed.'];
    return { conversationId, ledger: given, to: undefined, follows: true, notes };
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
  const diagnosis = await diagnose({
    client,
    conversationId,
    responses,
    content: true,
    signal,
    onProgress: ({ stage, done, total }) =>
      progress.update(`Reading the ${stage}: ${done}${total === undefined ? '' : ` of ${total}`}`),
  });
  requireKnown(diagnosis, unknown, hint);
  const isDurable = given !== undefined && opened.ledger?.isElsewhere === true;
  const ledger = isDurable && !dryRun ? given : memoryLedger();
  const target = isDurable || dryRun ? undefined : await targetOf(opened, to);
  await recordDiagnosis(ledger, diagnosis, { to: target });
  return { conversationId, ledger, to: target, follows: isDurable, notes: notesOf(diagnosis) };
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
