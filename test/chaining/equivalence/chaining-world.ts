import { planRecorder } from '../../flows/support/story.ts';
import { OpenAIProvider, Runner } from '@openai/agents';
import type OpenAI from 'openai';
import {
  chainedProvider,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type PlannedRequest,
  type Mode,
} from '../../../src/index.ts';
import type { ProfileName } from '../../../mocks/index.ts';
import { simulated } from '../../support/simulated.ts';
import { seeingModel } from './seeing-model.ts';
import type { World } from './world.ts';

/** What a world chains with. */
export interface ChainingOptions {
  /** Whether the SDK's own runner is used, with a chained provider. */
  readonly ownRunner?: boolean;
  /** Whether the run gets a history reference in place of the history. */
  readonly usesReference?: boolean;
  /** Whether there is a conversation. Default true. */
  readonly conversation?: boolean;
  /** Whether the conversation loses the model's messages at every turn, and the ledger holds no content. */
  readonly damaged?: boolean;
  /** The server. Default: the API. */
  readonly profile?: ProfileName;
}

/** This package's session and model boundary. */
export interface ChainingWorld extends World {
  /** The plans of all requests, in order. */
  readonly plans: readonly PlannedRequest[];
}

const MONTH = 31 * 24 * 60 * 60 * 1000;

export function chainingWorld(options: ChainingOptions = {}): ChainingWorld {
  const { simulator, client } = simulated({
    profile: options.profile ?? 'openai',
    respond: seeingModel(),
    unlink: options.damaged === true ? 'every-turn' : 'none',
  });
  const { observer, plans } = planRecorder();
  const isPlain = options.conversation !== false && options.damaged !== true;
  let mode: Mode = 'chain';
  let ledger = memoryLedger();
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({
      client,
      ledger,
      ...(options.conversation === false ? { mirror: 'off', sessionId: 'session' } : { conversationId }),
      ...(options.damaged === true ? { keepContent: false, advanced: { compare: 'on-read' } } : {}),
      // Without a conversation there is no list to serve, and a damaged one shows what it has lost.
      rollout: () => (isPlain || mode === 'chain' ? mode : 'rebuild'),
      observers: [observer],
    });
  let session = open();
  return {
    simulator,
    plans,
    get session() {
      return session;
    },
    runner: (model) => runnerOf(client, model, options),
    restart() {
      session = open(session.conversationId);
    },
    async fork() {
      const items = await session.getItems();
      ledger = memoryLedger();
      session = open();
      await session.addItems(items);
    },
    setMode(next) {
      mode = next;
    },
    async forget(how) {
      if (how === 'all') simulator.advance(MONTH);
      if (how === 'says-so')
        simulator.fault('responses.create', { name: 'previous_response_not_found', times: 1 });
      const newest = simulator.snapshot().responses.at(-1);
      if (how === 'newest' && newest !== undefined) {
        // It may be gone already.
        await client.responses.delete(newest.id).catch(() => undefined);
      }
    },
  };
}

function runnerOf(client: OpenAI, model: string, { ownRunner, usesReference }: ChainingOptions): Runner {
  const history = usesReference === true ? 'reference' : 'whole';
  if (ownRunner !== true) return new HybridRunner({ model, tracingDisabled: true, history });
  const modelProvider = chainedProvider(new OpenAIProvider({ openAIClient: client }));
  return new Runner({ model, modelProvider, tracingDisabled: true });
}
