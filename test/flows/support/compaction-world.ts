import type { Runner } from '@openai/agents';
import { outline } from '../../../mocks/wire/outline.ts';
import type { SimulatorOptions } from '../../../mocks/simulator.ts';
import type { LogEntry } from '../../../mocks/http/log.ts';
import { HybridRunner, HybridSession, memoryLedger, type HybridSessionOptions } from '../../../src/index.ts';
import { simulated, simulatedRunner, type Simulated } from '../../support/simulated.ts';
import { assistantAgent, recorder, type Recorder } from './story.ts';

/** A model whose compaction keeps the messages of the user alone. */
export const gpt41 = { agent: assistantAgent('gpt-4.1') };

/** An agent whose server compacts a context of 1,000 tokens by itself. */
export const compactedByServer = {
  agent: assistantAgent().clone({
    modelSettings: {
      providerData: { context_management: [{ type: 'compaction', compact_threshold: 1000 }] },
    },
  }),
};

/** A text of more than 1,000 tokens. */
export const LONG = 'word '.repeat(3000);

/** One simulated server, and the sessions that share one ledger. */
export interface CompactionWorld extends Simulated {
  readonly told: Recorder;
  /** Opens another session object on the same ledger. */
  readonly open: (given?: HybridSessionOptions) => HybridSession;
  readonly chained: HybridRunner;
  /** The SDK's own runner. */
  readonly stock: Runner;
  /** The contexts of all requests to the model, as letters. */
  readonly contexts: () => string[];
  readonly sent: () => string[];
  /** Does something once, when the first request that fits is answered; the promise resolves when both are done. */
  readonly during: (fits: (entry: LogEntry) => boolean, work: () => Promise<unknown>) => Promise<void>;
}

export function compactionWorld(
  options: HybridSessionOptions = {},
  server: SimulatorOptions = {},
): CompactionWorld {
  const { client, simulator } = simulated(server);
  const told = recorder();
  const ledger = memoryLedger();
  return {
    client,
    simulator,
    told,
    open: (given = {}) =>
      new HybridSession({
        client,
        ledger,
        sessionId: 'user-42',
        onEvent: told.onEvent,
        observers: [told.observer],
        ...options,
        ...given,
      }),
    chained: new HybridRunner({ tracingDisabled: true }),
    stock: simulatedRunner(client),
    contexts: () =>
      simulator.log
        .filter(({ operation }) => operation === 'responses.create')
        .map(({ context }) => outline(context ?? [])),
    sent: () => told.plans.map(({ plan, sent }) => `${plan} ${sent}`),
    during: (fits, work) =>
      new Promise((resolve, reject) => {
        const end = simulator.onRequest((entry) => {
          if (!fits(entry)) return;
          end();
          work().then(() => resolve(), reject);
        });
      }),
  };
}
