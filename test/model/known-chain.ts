import type { AgentInputItem } from '@openai/agents';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import type { AnchoredHistory } from '../../src/model/anchor.ts';
import type { Answer, Chain, ChainView, PlannedRequest } from '../../src/model/chain.ts';
import { extendContext } from '../../src/model/request.ts';

/** A chain that knows one response, and remembers what it is told. */
export interface KnownChain extends Chain {
  readonly answers: Answer[];
  readonly plans: PlannedRequest[];
  readonly refusals: [string, string][];
}

/** A session that nothing stands for. */
export const noHistory: AnchoredHistory = {
  anchor: async () => 'no-parent',
  expand: () => Promise.reject(new Error('Nobody looks')),
  unanchored: () => undefined,
};

/** @param context what the response `resp_0` ends; without, nothing is known. */
export function knownChain(context?: readonly AgentInputItem[], fields: Partial<ChainView> = {}): KnownChain {
  const answers: Answer[] = [];
  const plans: PlannedRequest[] = [];
  const refusals: [string, string][] = [];
  const known = context === undefined ? undefined : extendContext(EMPTY_DIGEST, context);
  const now = Date.now();
  return {
    answers,
    plans,
    refusals,
    client: undefined,
    history: noHistory,
    view: async () => ({
      enabled: true,
      empty: known === undefined,
      now,
      responseTtl: 1000,
      candidates: (digest) => (digest === known ? [{ id: 'resp_0', time: now, store: true }] : []),
      unrecorded: () => [],
      isRefused: () => false,
      ...fields,
    }),
    answered: (answer) => void answers.push(answer),
    refused: (id, why) => void refusals.push([id, why]),
    planning: () => (planned) => void plans.push(planned),
  };
}
