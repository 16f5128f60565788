import { Agent, run, type Session } from '@openai/agents';
import {
  HybridSession,
  HybridSessionError,
  memoryLedger,
  type HistoryReport,
  type HybridSessionEvent,
  type HybridSessionOptions,
  type LedgerStore,
} from 'agents-hybrid-session';
import { createSimulator, type Simulator } from 'agents-hybrid-session/mocks';
import OpenAI from 'openai';

export const simulator: Simulator = createSimulator({ unlink: 'every-turn' });
export const client: OpenAI = new OpenAI({ apiKey: 'test', fetch: simulator.fetch });
export const ledger: LedgerStore = memoryLedger();
export const options: HybridSessionOptions = { client, ledger, rollout: 'rebuild', onEvent: watch };
export const session: HybridSession = new HybridSession(options);
export const stock: Session = session;

export async function ask(text: string): Promise<string | undefined> {
  const result = await run(new Agent({ name: 'Assistant', model: 'gpt-5.4' }), text, { session });
  const report: HistoryReport = await session.verify();
  return report.verified ? result.finalOutput : undefined;
}

function watch(event: HybridSessionEvent): string {
  switch (event.type) {
    case 'lost':
      return event.findings.map(({ id }) => id).join(', ');
    case 'incomplete':
      return event.missing.map(({ kind }) => kind).join(', ');
    default:
      return event.type;
  }
}

export function explain(error: unknown): string {
  if (!(error instanceof HybridSessionError)) return 'not ours';
  switch (error.code) {
    case 'history_incomplete':
      return 'incomplete';
    default:
      return error.code;
  }
}

// These lines fail to compile if any of the types came out as `any`.
// @ts-expect-error no such mode
new HybridSession({ rollout: 'sometimes' });
// @ts-expect-error no such option
new HybridSession({ conversation: 'conv_1' });
// @ts-expect-error no such policy
createSimulator({ unlink: 'now and then' });
// @ts-expect-error no such report
session.verify().then((report) => report.proven);
// @ts-expect-error no such item
void session.addItems([{ type: 'nothing' }]);
