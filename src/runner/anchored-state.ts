import type { AgentInputItem } from '@openai/agents';
import { HistoryAnchorError } from '../errors/history-anchor-error.ts';
import { isObject } from '../ledger/json.ts';
import { anchorOf, type Anchor } from '../model/anchor.ts';
import type { Chain } from '../model/chain.ts';

/** Where the SDK keeps the input of a run, with the history that it began with. */
const INPUT = '_originalInput';

/** The input with what its anchor stands for. @throws HistoryAnchorError when the run has another session, or none. */
export async function expandInput(
  input: readonly AgentInputItem[],
  chain: Chain | undefined,
): Promise<AgentInputItem[]> {
  const whole: AgentInputItem[] = [];
  for (const item of input) {
    const anchor = anchorOf(item);
    if (anchor === undefined) whole.push(item);
    else whole.push(...(await expanded(anchor, chain)));
  }
  return whole;
}

/** Puts the whole history into the state of a run that can be resumed, in this process or another, by any runner. */
export async function expandState(state: unknown, chain: Chain | undefined): Promise<void> {
  const input = anchoredInput(state);
  if (input !== undefined) Reflect.set(input.state, INPUT, await expandInput(input.items, chain));
}

/** Leaves in the state of a run that has ended what was its own, as the SDK does where the server keeps the history. */
export function dropAnchor(state: unknown): void {
  const input = anchoredInput(state);
  if (input !== undefined) Reflect.set(input.state, INPUT, ownInput(input.items));
}

/** What a run was given besides its history. */
export function ownInput(items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.filter((item) => anchorOf(item) === undefined);
}

/** Whether a run came to its end, so that nobody can resume it. */
export function isFinished(state: unknown): boolean {
  const step = isObject(state) ? state['_currentStep'] : undefined;
  return isObject(step) && step['type'] === 'next_step_final_output';
}

/** The input of a state, if there is an anchor in it. */
function anchoredInput(
  state: unknown,
): { readonly state: object; readonly items: readonly AgentInputItem[] } | undefined {
  if (typeof state !== 'object' || state === null) return undefined;
  const items: unknown = Reflect.get(state, INPUT);
  return Array.isArray(items) && items.some((item) => anchorOf(item) !== undefined)
    ? { state, items }
    : undefined;
}

function expanded(anchor: Anchor, chain: Chain | undefined): Promise<AgentInputItem[]> {
  if (chain === undefined) throw new HistoryAnchorError(anchor.sessionId, 'no-session');
  return chain.history.expand(anchor);
}
