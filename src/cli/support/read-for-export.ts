import type { AgentInputItem } from '@openai/agents';
import { findSession } from '../../doctor.ts';
import {
  diagnose,
  inspectLedger,
  type DiagnoseOptions,
  type DiagnosisProgress,
  type LedgerInspection,
  type CaveatKind,
} from '../../doctor.ts';
import { withConversation, type ConversationArguments } from '../setup/conversation.ts';
import type { CliIo } from '../command.ts';
import { unknownSession } from '../commands/inspect.ts';
import { withLedger } from '../setup/ledger.ts';
import { withGivenLedger } from '../input/ledger-location.ts';
import type { ProgressLine } from '../output/progress.ts';
import { readResponseIds } from '../input/response-ids.ts';

/** The items to export, and the missing ones. */
export interface Exportable {
  readonly items: readonly AgentInputItem[];
  /** Known items without a source. */
  readonly missing: number;
  /** Items without an answer or a result, which may never have existed. */
  readonly unanswered: number;
  /** Reasoning items whose output was lost. */
  readonly alone: number;
  /** Of the whole history; undefined when items are missing. */
  readonly digest: string | undefined;
}

/** Reads the items of the ledger, or, without a ledger, of the list and the given responses. */
export function readForExport(
  io: CliIo,
  { operand, values }: ConversationArguments,
  signal: AbortSignal,
): Promise<Exportable> {
  const typed = { operand, values: withGivenLedger(values, io.env) };
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
  const options = { command: 'export', operand, readOnly: true, signal };
  return withLedger(io, values, options, async ({ ledger: { store: ledger, name }, client, progress }) => {
    const sessionId = await findSession(ledger, operand);
    const inspection = await inspectLedger(ledger, sessionId, { content: true });
    if (inspection === undefined) throw unknownSession('export', operand, name);
    const items = keptItems(inspection);
    const { length, digest, damaged } = inspection;
    if (items.length === length && damaged.length === 0)
      return { items, missing: 0, unanswered: 0, alone: 0, digest };
    if (items.length === length) {
      io.err(
        `${damaged.length} record(s) of the ledger cannot be read: their items are not in the export.\n`,
      );
      return { items, missing: damaged.length, unanswered: 0, alone: 0, digest: undefined };
    }
    // The ledger keeps no content; the API may have it.
    const conversation = { client: client(), conversationId: sessionId, ledger, signal };
    const responses = await readResponseIds('export', values.response ?? [], io, signal);
    return diagnosed({ ...conversation, responses }, progress);
  });
}

async function diagnosed(options: DiagnoseOptions, progress: ProgressLine): Promise<Exportable> {
  const onProgress = ({ stage, done }: DiagnosisProgress): void =>
    progress.update(`Reading the ${stage}${done === 0 ? '' : `: ${done}`}`);
  const { timeline, digest, caveats } = await diagnose({ ...options, content: true, onProgress });
  const history = timeline.filter(({ index }) => index !== null);
  const items = history.flatMap(({ item }) => item ?? []);
  const missing = history.length - items.length;
  const count = (caveat: CaveatKind): number => caveats.find(({ kind }) => kind === caveat)?.count ?? 0;
  const [unanswered, alone] = [count('unanswered'), count('lone_reasoning')];
  return { items, missing, unanswered, alone, digest: missing + alone === 0 ? digest : undefined };
}

function keptItems({ turns }: LedgerInspection): AgentInputItem[] {
  return turns.flatMap((turn) => turn.items.flatMap(({ item }) => item ?? []));
}
