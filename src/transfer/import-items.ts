import { createHash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import { ImportRefusedError } from '../errors/session.ts';
import { parseAgentItems } from '../items/parse-item.ts';
import { ledgerItem } from '../ledger/record.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../ledger/record.ts';
import { digestOf, type LedgerState } from '../ledger/state.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { findSession } from '../ledger/find-session.ts';
import { toJsonLines } from './json-lines.ts';

/** One record for each item makes too many records, and one record for all items is too big. */
const ITEMS_PER_RECORD = 100;

/** Options of `importItems`. */
export interface ImportItemsOptions {
  /** The store of the session. */
  readonly ledger: LedgerStore;
  /** The session's ID: the conversation's, or its name with `mirror: 'off'`. */
  readonly sessionId: string;
  readonly items: readonly AgentInputItem[];
  /** Whether to add to a session that has items already. Default false: throws. */
  readonly append?: boolean | undefined;
}

/** The result of an import. */
export interface ImportedItems {
  readonly sessionId: string;
  /** The number of imported items; 0 if an earlier import had added them. */
  readonly imported: number;
  /** Whether an earlier import added these items. */
  readonly already: boolean;
  /** The number of items in the session now, and their digest. */
  readonly length: number;
  readonly digest: string;
}

/**
 * Writes items to a session's ledger, all in one append or none. Repeating an import adds nothing. A session with a conversation
 * writes the items there at its next write or `flush()`.
 *
 * @throws InvalidItemError for a value that is not an item; ImportRefusedError for a session that has items, unless `append` is
 * true; any error of the store.
 */
export async function importItems({
  ledger: store,
  sessionId: given,
  items,
  append = false,
}: ImportItemsOptions): Promise<ImportedItems> {
  const parsed = parseAgentItems(items);
  const sessionId = await findSession(store, given);
  const ledger = new Ledger({ store, sessionId, imports: true });
  const operation = { id: `import:${fingerprint(parsed)}`, digest: fingerprint(parsed) };
  let already = false;
  const state = await ledger.append((newest) => {
    already = newest.operations.has(operation.id);
    if (already) return [];
    if (!append) requireEmpty(newest, sessionId);
    return steps(parsed, operation);
  });
  return {
    sessionId,
    imported: already ? 0 : parsed.length,
    already,
    length: state.entries.length,
    digest: digestOf(state),
  };
}

/** The hash of the file that these items make: it identifies the import. */
function fingerprint(items: readonly AgentInputItem[]): string {
  const hash = createHash('sha256');
  for (const line of toJsonLines(items)) hash.update(line);
  return hash.digest('base64url');
}

function steps(
  items: readonly AgentInputItem[],
  operation: { readonly id: string; readonly digest: string },
): LedgerStep[] {
  const records: { type: 'items'; items: LedgerItem[] }[] = [];
  // An import of no items creates an empty session.
  for (let from = 0; from === 0 || from < items.length; from += ITEMS_PER_RECORD) {
    const part = items.slice(from, from + ITEMS_PER_RECORD);
    records.push({ type: 'items', items: part.map((item) => ledgerItem(item, true)) });
  }
  return records.map((record, index) => (index === records.length - 1 ? { ...record, operation } : record));
}

function requireEmpty(state: LedgerState, sessionId: string): void {
  const { length } = state.entries;
  if (length === 0) return;
  throw new ImportRefusedError(
    sessionId,
    'not_empty',
    `it has ${length} item(s) already; append to them if that is meant, or import into another session`,
  );
}
