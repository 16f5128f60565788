import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import type { HistoryReferences } from '../../src/chaining/history-reference.ts';
import type {
  CompletedResponse,
  ChainingPort,
  ChainView,
  ModelWarning,
  PlannedRequest,
} from '../../src/chaining/port.ts';
import { serverOf } from '../../src/chaining/server.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { ScriptedModel } from './scripted-model.ts';

/** A chain that knows one response, and remembers what it is told. */
export interface KnownPort extends ChainingPort {
  readonly answers: CompletedResponse[];
  readonly plans: PlannedRequest[];
  readonly refusals: [string, string][];
  readonly lostKeys: string[];
  readonly warnings: ModelWarning[];
}

/** The server of a scripted model. */
export const HERE = serverOf(new ScriptedModel()).mark;

/** A session that nothing stands for. */
export const noHistory: HistoryReferences = {
  reference: async () => 'no_parent',
  expand: () => Promise.reject(new Error('Nobody looks')),
  reportFullHistory: () => undefined,
};

/** @param context what the response `resp_0` ends; without, nothing is known. */
export function knownPort(context?: readonly AgentInputItem[], fields: Partial<ChainView> = {}): KnownPort {
  const answers: CompletedResponse[] = [];
  const plans: PlannedRequest[] = [];
  const refusals: [string, string][] = [];
  const lostKeys: string[] = [];
  const warnings: ModelWarning[] = [];
  const known = context === undefined ? undefined : extendContext(EMPTY_DIGEST, context);
  const now = Date.now();
  return {
    answers,
    plans,
    refusals,
    lostKeys,
    warnings,
    client: undefined,
    history: noHistory,
    view: async () => ({
      enabled: true,
      isStock: false,
      empty: known === undefined,
      now,
      responseTtl: 1000,
      newest: undefined,
      candidates: (digest) =>
        digest === known ? [{ id: 'resp_0', time: now, store: true, context: { server: HERE } }] : [],
      unrecorded: () => [],
      isRefused: () => false,
      compacted: [],
      replaced: () => [],
      isReplaced: () => false,
      serverThreshold: undefined,
      ...fields,
    }),
    answered: (answer) => void answers.push(answer),
    refused: (id, why) => void refusals.push([id, why]),
    lost: (keys) => void lostKeys.push(...keys),
    compact: async () => false,
    uncompact: async () => false,
    warn: (warning) => void warnings.push(warning),
    planning: () => (planned) => void plans.push(planned),
  };
}
