import { HealError } from '../errors/heal-error.ts';
import type { RestoredItem } from '../history/restore.ts';
import { draftStore } from '../ledger/draft-store.ts';
import { Ledger } from '../ledger/ledger.ts';
import { emptyState, type LedgerEntry } from '../ledger/ledger-state.ts';
import { applyRecords } from '../ledger/apply-records.ts';
import { recordOf } from '../ledger/ledger-record.ts';
import { whereItIs } from '../ledger/where-it-is.ts';
import { attach, type Attachment } from './attachment.ts';
import { copySteps } from './copy-steps.ts';
import { healedAlready } from './heal.ts';
import type { HealPlan, HealStep } from './healed.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { SessionHistory } from './session-history.ts';
import { isVerified } from './verification.ts';
import { wholeHistory } from './whole-history.ts';

/**
 * What `heal()` would do. Reads what it would read, and writes nothing: what a read takes into the ledger stays in a draft.
 *
 * @throws HealError, HistoryIncompleteError, or the client's errors.
 */
export async function planHeal(
  options: ResolvedOptions,
  conversationId: string | undefined,
): Promise<HealPlan> {
  if (options.sessionId !== undefined) throw new HealError(options.sessionId, 'no-conversation');
  if (conversationId === undefined) throw new HealError('', 'nothing-to-heal');
  const store = draftStore(options.ledger);
  const sessionId = await whereItIs(store, conversationId);
  // Attaching would finish that.
  const { cleared } = await new Ledger({ store, sessionId, now: () => Date.now() }).state();
  if (cleared) throw new HealError(sessionId, 'cleared');
  const draft = { ...options, ledger: store };
  const attachment = await attach(draft, sessionId, silent);
  const checked = await new SessionHistory(attachment, draft, silent).check('off');
  const done = await healedAlready(attachment, checked);
  if (done !== undefined) return { ...done, conversationId: sessionId, steps: [], dryRun: true };
  const { state, restored } = await wholeHistory(attachment);
  const copy = emptyState();
  applyRecords(
    copy,
    copySteps(state, copy).map((step) => recordOf(step, { commit: '', time: 0 })),
  );
  const steps = await stepsOf(attachment, restored, copy.entries);
  const count = (how: HealStep['how']): number => steps.filter((step) => step.how === how).length;
  return {
    from: sessionId,
    conversationId: state.move?.to,
    items: restored.length,
    linked: count('linked'),
    written: count('written'),
    skipped: count('skipped'),
    verified: isVerified(state, restored),
    steps,
    dryRun: true,
  };
}

async function stepsOf(
  { reader }: Attachment,
  restored: readonly RestoredItem[],
  copies: readonly LedgerEntry[],
): Promise<HealStep[]> {
  const present = restored.flatMap(({ item }, index) => (item === undefined ? [] : [{ item, index }]));
  const forms = await reader.apiForms(present.map(({ item }) => item));
  const storable = new Set(present.filter((_, at) => 'item' in (forms[at] ?? {})).map(({ index }) => index));
  return restored.map(({ entry }, index) => {
    const how = copies[index]?.link === undefined ? 'written' : 'linked';
    const id = entry.mirrorId ?? entry.id;
    return { index, kind: entry.kind, id, how: storable.has(index) ? how : 'skipped' };
  });
}

/** Nothing that is noticed is news: it is told when it is done. */
function silent(): void {
  return undefined;
}
