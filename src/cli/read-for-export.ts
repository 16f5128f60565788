import type { AgentInputItem } from '@openai/agents';
import {
  diagnose,
  inspectLedger,
  type DiagnoseOptions,
  type DiagnosisProgress,
  type LedgerInspection,
} from '../index.ts';
import { withConversation, type ConversationArguments } from './conversation-command.ts';
import type { CliIo } from './command.ts';
import { unknownSession } from './inspect.ts';
import { withLedger } from './ledger-command.ts';
import type { Progress } from './progress.ts';
import { readResponseIds } from './response-ids.ts';

/** What there is to export. */
export interface Exportable {
  readonly items: readonly AgentInputItem[];
  /** How many items are known and were found nowhere. */
  readonly missing: number;
  /** Of the whole history; undefined when something is missing. */
  readonly digest: string | undefined;
}

/** Reads what the ledger says, or without one the list and what the given responses restore. */
export function readForExport(
  io: CliIo,
  typed: ConversationArguments,
  signal: AbortSignal,
): Promise<Exportable> {
  if (typed.values.ledger !== undefined) return fromLedger(io, typed, signal);
  const options = { command: 'export', readOnly: true, signal };
  return withConversation(io, typed, options, ({ client, conversationId, responses, progress }) =>
    diagnosed({ client, conversationId, responses, signal }, progress),
  );
}

function fromLedger(
  io: CliIo,
  { operand, values }: ConversationArguments,
  signal: AbortSignal,
): Promise<Exportable> {
  const options = { command: 'export', operand, readOnly: true };
  return withLedger(io, values, options, async ({ ledger: { store: ledger, name }, client, progress }) => {
    const inspection = await inspectLedger(ledger, operand, { content: true });
    if (inspection === undefined) throw unknownSession('export', operand, name);
    const items = keptItems(inspection);
    const { length, digest, damaged } = inspection;
    if (items.length === length && damaged.length === 0) return { items, missing: 0, digest };
    if (items.length === length) {
      io.err(
        `${damaged.length} record(s) of the ledger cannot be read: what they said is not in the export.\n`,
      );
      return { items, missing: damaged.length, digest: undefined };
    }
    // It keeps no content, which the API may have.
    const conversation = { client: client(), conversationId: operand, ledger, signal };
    const responses = await readResponseIds('export', values.response ?? [], io, signal);
    return diagnosed({ ...conversation, responses }, progress);
  });
}

async function diagnosed(options: DiagnoseOptions, progress: Progress): Promise<Exportable> {
  const onProgress = ({ stage, done }: DiagnosisProgress): void =>
    progress.update(`Reading the ${stage}${done === 0 ? '' : `: ${done}`}`);
  const { timeline, digest } = await diagnose({ ...options, content: true, onProgress });
  const history = timeline.filter(({ index }) => index !== null);
  const items = history.flatMap(({ item }) => item ?? []);
  const missing = history.length - items.length;
  return { items, missing, digest: missing === 0 ? digest : undefined };
}

function keptItems({ turns }: LedgerInspection): AgentInputItem[] {
  return turns.flatMap((turn) => turn.items.flatMap(({ item }) => item ?? []));
}
