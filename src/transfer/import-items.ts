import { createHash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import { ImportRefusedError } from '../errors/import-refused-error.ts';
import { ledgerItem, parseAgentItems } from '../ledger/agent-item.ts';
import { Ledger } from '../ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import { digestOf, type LedgerState } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { movedTo } from '../ledger/session-move.ts';
import { toJsonLines } from './json-lines.ts';

/** A record of every item would make many of a file, one record of all a very big one. */
const ITEMS_PER_RECORD = 100;

/** What is imported, and where to. */
export interface ImportItemsOptions {
  /** A store that keeps content: any but `conversationLedger()`. */
  readonly ledger: LedgerStore;
  /** The session's ID there: the conversation's, or the name that it has with `mirror: 'off'`. */
  readonly sessionId: string;
  readonly items: readonly AgentInputItem[];
  /** Whether to add to a session that has items already. Default false: it is refused. */
  readonly append?: boolean | undefined;
}

/** What became of an import. */
export interface ImportedItems {
  readonly sessionId: string;
  /** How many items were imported; 0 when they had been before. */
  readonly imported: number;
  /** These items were imported into the session before, by an attempt that was cut short or by one that was not. */
  readonly already: boolean;
  /** How many items the session has now, and their digest. */
  readonly length: number;
  readonly digest: string;
}

/**
 * Writes items to a session's ledger: all of them in one append or none, and the same items once, however often it is
 * asked for. A session with a conversation writes them there at its next write or `flush()`; one that was moved to another
 * conversation gets them there.
 *
 * @throws InvalidItemError for what is not an item; ImportRefusedError for a session that has items, unless `append` is
 * true, and for a store that keeps no content; and what the store throws.
 */
export async function importItems({
  ledger: store,
  sessionId,
  items,
  append = false,
}: ImportItemsOptions): Promise<ImportedItems> {
  const parsed = parseAgentItems(items);
  const ledger = new Ledger({ store, sessionId, now: () => Date.now() });
  const operation = { id: `import:${fingerprint(parsed)}`, digest: fingerprint(parsed) };
  const before = await ledger.state();
  const to = movedTo(before.move);
  if (to !== undefined) return importItems({ ledger: store, sessionId: to, items: parsed, append });
  if (before.base !== undefined) throw keepsNoContent(sessionId);
  let already = false;
  const state = await ledger.commit((newest) => {
    already = newest.operations.has(operation.id);
    if (already) return [];
    if (!append) requireEmpty(newest, sessionId);
    return steps(parsed, operation);
  });
  if (!already && (await store.read(sessionId, state.version)).base !== undefined) {
    // Only what was written shows that a store keeps the head alone.
    await ledger.delete(state.version);
    throw keepsNoContent(sessionId);
  }
  return {
    sessionId,
    imported: already ? 0 : parsed.length,
    already,
    length: state.entries.length,
    digest: digestOf(state),
  };
}

/** Tells one import from another: the bytes of the file, as it would be written. */
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
  // Nothing is a history, too: then the session is there, and has no items.
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
    'not-empty',
    `it has ${length} item(s) already; append to them if that is meant, or import into another session`,
  );
}

function keepsNoContent(sessionId: string): ImportRefusedError {
  return new ImportRefusedError(sessionId, 'keeps-no-content', 'its ledger does not keep content');
}
