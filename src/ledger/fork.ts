import type { AgentInputItem } from '@openai/agents';
import { wholeCheckpoint } from './checkpoint.ts';
import { enterConversation, type MutableState } from './mutable-state.ts';
import { LEDGER_FORMAT, recordOf, type Checkpoint, type LedgerRecord } from './record.ts';
import { applyRecords } from './reducer.ts';
import { logOf } from './rewrite.ts';
import { copyState, emptyState, type LedgerEntry, type LedgerState } from './state.ts';

/** The whole log of a new session. */
export interface ForkedLog {
  readonly records: readonly LedgerRecord[];
  readonly checkpoint: Checkpoint;
}

/**
 * The log of a session that goes on from the first entries of another one. It has no conversation yet; there the items are linked
 * by the IDs under which the API stores them.
 *
 * @param keep the number of entries.
 * @param content the items of entries whose content the ledger does not hold.
 */
export function forkedLog(
  state: LedgerState,
  keep: number,
  content: readonly { readonly entry: LedgerEntry; readonly item: AgentInputItem | undefined }[],
  made: Pick<LedgerRecord, 'commit' | 'time'>,
): ForkedLog {
  const fork = copyState(state) as MutableState;
  const cut = recordOf({ type: 'replace', keep, items: [] }, made);
  applyRecords(fork, [cut]);
  // The items have no place in the other session's conversation.
  enterConversation(fork, '', cut);
  const items = new Map(content.map(({ entry, item }) => [entry.seq, item]));
  fork.entries = fork.entries.map((entry) => ({ ...entry, item: entry.item ?? items.get(entry.seq) }));
  const end = (fork.entries.at(-1)?.seq ?? -1) + 1;
  Object.assign(fork, {
    began: undefined,
    conversation: undefined,
    healed: undefined,
    former: new Map(),
    compacting: undefined,
    forks: [],
    drafts: { open: [], interrupted: fork.drafts.interrupted.filter(({ until }) => until <= end) },
    responses: fork.responses.filter(({ nextSeq }) => nextSeq <= end),
  });
  const records = logOf(fork, { v: LEDGER_FORMAT, ...made }, []);
  const folded = emptyState();
  applyRecords(folded, records);
  return { records, checkpoint: wholeCheckpoint(folded) };
}
