import { HealError } from '../errors/session.ts';
import type { RestoredItem } from '../history/restore.ts';
import { applyRecords } from '../ledger/reducer.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import { draftStore } from '../stores/draft.ts';
import { recordOf } from '../ledger/record.ts';
import type { LedgerEntry } from '../ledger/state.ts';
import { danglingReasoning } from '../items/reasoning.ts';
import { openContext, type SessionContext, type SessionNames } from '../runtime/open.ts';
import { countHealed, type HealPlan, type HealStep } from './healed.ts';
import type { ResolvedOptions } from '../runtime/options.ts';
import { SessionHistory } from '../runtime/read.ts';
import { Telemetry } from '../telemetry/span.ts';
import { listMatchesLedger, matchesLedger } from '../history/verify.ts';
import { readWholeHistory } from '../runtime/read-whole.ts';

/**
 * Plans a heal. Reads the same as `heal()`, and writes only to a draft of the ledger.
 *
 * @throws HealError, HistoryIncompleteError, or the client's errors.
 */
export async function planHeal(options: ResolvedOptions, names: SessionNames): Promise<HealPlan> {
  for (;;) {
    try {
      return await planOnce(options, names);
    } catch (error) {
      // Another session cleared or healed this one meanwhile.
      if (!(error instanceof ConversationReplaced)) throw error;
    }
  }
}

async function planOnce(options: ResolvedOptions, names: SessionNames): Promise<HealPlan> {
  if (options.mirror === 'off') throw new HealError(options.sessionId ?? '', 'no_conversation');
  if (names.sessionId === undefined && names.conversationId === undefined)
    throw new HealError('', 'nothing_to_heal');
  const draft = { ...options, ledger: draftStore(options.ledger) };
  const context = await openContext({ options: draft, telemetry: new Telemetry([]) }, names, false);
  const { sessionId, ledger, conversation } = context;
  if (conversation === undefined) throw new HealError(sessionId, 'nothing_to_heal');
  const checked = await new SessionHistory(context).check('off');
  const before = await ledger.read();
  const { conversationId } = conversation;
  const isDamaged =
    checked?.gone === true || checked?.findings.some(({ type }) => type !== 'foreign') === true;
  const isBegun = before.healed !== undefined && !isDamaged;
  const facts = { sessionId, from: before.healed ?? conversationId, dryRun: true } as const;
  if (isBegun && listMatchesLedger(before, checked?.list ?? []))
    return { ...facts, ...countHealed(before), conversationId, verified: true, steps: [] };
  const { state, restored } = await readWholeHistory(context);
  const verified = matchesLedger(state, restored);
  if (!isBegun) applyRecords(state, [recordOf({ type: 'conversation', id: '' }, { commit: '', time: 0 })]);
  const steps = await stepsOf(context, restored, state.entries);
  const count = (how: HealStep['how']): number => steps.filter((step) => step.how === how).length;
  return {
    ...facts,
    from: isBegun ? facts.from : conversationId,
    conversationId: isBegun ? conversationId : undefined,
    items: restored.length,
    linked: count('linked'),
    written: count('written'),
    skipped: count('skipped'),
    dangling: count('dangling'),
    verified,
    steps,
  };
}

async function stepsOf(
  { reader }: SessionContext,
  restored: readonly RestoredItem[],
  copies: readonly LedgerEntry[],
): Promise<HealStep[]> {
  const present = restored.flatMap(({ item }, index) => (item === undefined ? [] : [{ item, index }]));
  const forms = await reader.apiForms(present.map(({ item }) => item));
  const storable = new Set(present.filter((_, at) => 'item' in (forms[at] ?? {})).map(({ index }) => index));
  const dangling = danglingReasoning(restored.map(({ item }) => item));
  const howOf = (index: number): HealStep['how'] => {
    if (dangling.has(index)) return 'dangling';
    if (!storable.has(index)) return 'skipped';
    return copies[index]?.link === undefined ? 'written' : 'linked';
  };
  return restored.map(({ entry }, index) => {
    const id = entry.mirrorId ?? entry.id;
    return { index, kind: entry.kind, id, how: howOf(index) };
  });
}
