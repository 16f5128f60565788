import type { AgentInputItem } from '@openai/agents';
import {
  HybridSession,
  importItems,
  inspectLedger,
  memoryLedger,
  type LedgerInspection,
  type LedgerStore,
} from '../index.ts';
import { withConversation, type ConversationArguments } from './conversation-command.ts';
import type { CliIo } from './command.ts';
import { unknownSession } from './inspect.ts';
import { withLedger } from './ledger-command.ts';

/** What there is to export. */
export interface Exportable {
  readonly items: readonly AgentInputItem[];
  /** How many items are known and were found nowhere. */
  readonly missing: number;
  /** Of the whole history; undefined when something is missing. */
  readonly digest: string | undefined;
}

/** Reads what the ledger says, or without one the list and what the given responses restore. */
export async function readForExport(
  io: CliIo,
  typed: ConversationArguments,
  signal: AbortSignal,
): Promise<Exportable> {
  return typed.values.ledger === undefined ? fromApi(io, typed, signal) : fromLedger(io, typed);
}

function fromLedger(io: CliIo, { operand, values }: ConversationArguments): Promise<Exportable> {
  return withLedger(
    io,
    values,
    { command: 'export', operand, readOnly: true },
    async ({ ledger, client }) => {
      const inspection = await inspectLedger(ledger.store, operand, { content: true });
      if (inspection === undefined) throw unknownSession('export', operand, ledger.name);
      const items = keptItems(inspection);
      const { length, digest, damaged } = inspection;
      if (items.length === length && damaged.length === 0) return { items, missing: 0, digest };
      if (items.length === length) {
        io.err(
          `${damaged.length} record(s) of the ledger cannot be read: what they said is not in the export.\n`,
        );
        return { items, missing: damaged.length, digest: undefined };
      }
      const session = new HybridSession({
        client: client(),
        conversationId: operand,
        ledger: ledger.store,
        checkList: 'never',
        onIncomplete: 'warn',
      });
      return served(session, length);
    },
  );
}

function fromApi(io: CliIo, typed: ConversationArguments, signal: AbortSignal): Promise<Exportable> {
  return withConversation(
    io,
    typed,
    { command: 'export', readOnly: true, signal },
    async ({ client, conversationId }) => {
      const session = new HybridSession({
        client,
        conversationId,
        ledger: memoryLedger(),
        onIncomplete: 'warn',
      });
      return served(session, 0);
    },
  );
}

async function served(session: HybridSession, length: number): Promise<Exportable> {
  const items = await session.getItems();
  const missing = Math.max(0, length - items.length);
  return { items, missing, digest: missing === 0 ? await digestOf(items) : undefined };
}

function keptItems({ turns }: LedgerInspection): AgentInputItem[] {
  return turns.flatMap((turn) => turn.items.flatMap(({ item }) => item ?? []));
}

async function digestOf(items: readonly AgentInputItem[]): Promise<string | undefined> {
  const ledger: LedgerStore = memoryLedger();
  return (await importItems({ ledger, sessionId: 'export', items })).digest;
}
