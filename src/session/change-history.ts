import type { AgentInputItem } from '@openai/agents';
import type { LedgerDecision } from '../ledger/ledger-decision.ts';
import { SessionMoved } from '../ledger/session-moved.ts';
import type { Mode } from '../rollout/mode.ts';
import type { Attachment } from './attachment.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { requireStorable } from './require-storable.ts';
import type { OpenSession } from './session-life.ts';

/** What is to be changed: the items that are new, and the records that say so. */
export interface HistoryChange {
  readonly added: readonly AgentInputItem[];
  readonly decide: LedgerDecision;
  /** It only adds to the end: what lies before need not be known. */
  readonly adds?: boolean;
}

/**
 * Changes the history: in the ledger first, then in the conversation.
 *
 * @throws InvalidItemError when neither the ledger nor the conversation could hold what is new.
 */
export async function changeHistory(
  { attachment, history }: OpenSession,
  mode: Mode,
  options: ResolvedOptions,
  { added, decide, adds = false }: HistoryChange,
): Promise<void> {
  const { ledger, reader, remote } = attachment;
  if (!options.keepContent) await requireStorable(reader, added);
  await history.open(mode);
  const settle = options.keepContent ? undefined : reader.pin(added);
  const leased: LedgerDecision = (state) => {
    const steps = decide(state);
    return steps.length === 0 || remote === undefined
      ? steps
      : [...steps, ...remote.mirror.leaseSteps(state)];
  };
  await (adds ? ledger.commitTip(leased) : ledger.commit(leased)).finally(settle);
  await updateMirror(attachment, options);
}

/**
 * Brings the conversation up to date, and waits for it where that is asked for.
 *
 * What is in the ledger of a session that has moved since is in the ledger of the one that it moved to, too.
 */
export async function updateMirror({ remote }: Attachment, { mirror }: ResolvedOptions): Promise<void> {
  const pushed = remote?.mirror.push({ soon: mirror === 'background' }).catch((error: unknown) => {
    if (!(error instanceof SessionMoved)) throw error;
  });
  if (mirror === 'await') await pushed;
}
