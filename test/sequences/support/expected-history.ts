import type { AgentInputItem } from '@openai/agents';
import { describedAll } from './described.ts';

/** The expected content of a session: items, and the responses recorded for it. Plain arrays, oldest first. */
export interface History {
  readonly items: readonly AgentInputItem[];
  readonly responses: readonly string[];
  /** The IDs of the transactions that were applied. */
  readonly operations: readonly string[];
}

/** How a call ended. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** A call on a session, by any process. */
export interface Call {
  readonly name: string;
  /** Undefined as long as the call has not ended: the open calls of a killed process stay so. */
  outcome: Outcome | undefined;
  /**
   * The histories that the call may leave behind, given the one before it; none when its answer contradicts that one.
   */
  readonly after: (before: History, outcome: Outcome | undefined) => readonly History[];
}

/** More than this many histories that are all possible tell nothing any more. */
const MAX_POSSIBLE = 512;

/**
 * The reference: every history that is possible after all that was done and said.
 *
 * It is one, unless a call got no answer, or sessions did something at once: then any order will do that explains every answer.
 */
export class ExpectedHistory {
  #possible: readonly History[] = [{ items: [], responses: [], operations: [] }];

  /** The possible histories; the first one is as good as any. */
  get possible(): readonly [History, ...History[]] {
    const [first, ...others] = this.#possible;
    if (first === undefined) throw new Error('No history is possible');
    return [first, ...others];
  }

  /** Keeps the possible histories that fit an observation. @throws Error when none is left. */
  narrow(isSo: (history: History) => boolean, seen: () => string): void {
    const left = this.#possible.filter((one) => isSo(one));
    if (left.length === 0) throw new Error(`${seen()}\nThis was to be expected:\n${this.#drawn()}`);
    this.#possible = left;
  }

  /**
   * Applies calls: each line in its order, the lines in any.
   * @throws Error when no order explains the answers.
   */
  explain(lines: readonly (readonly Call[])[]): void {
    const result = new Map<string, History>();
    const seen = new Set<string>();
    const walk = (before: History, at: readonly number[]): void => {
      const key = `${at.join()} ${keyOf(before)}`;
      if (seen.has(key)) return;
      seen.add(key);
      let isEnd = true;
      for (const [index, line] of lines.entries()) {
        const call = line[at[index] ?? 0];
        if (call === undefined) continue;
        isEnd = false;
        const next = at.map((one, which) => (which === index ? one + 1 : one));
        for (const after of call.after(before, call.outcome)) walk(after, next);
      }
      if (isEnd) result.set(keyOf(before), before);
    };
    for (const history of this.#possible)
      walk(
        history,
        lines.map(() => 0),
      );
    if (result.size === 0) throw new Error(this.#contradiction(lines));
    if (result.size > MAX_POSSIBLE)
      throw new Error(`${result.size} histories are possible: the sequence asks too little`);
    this.#possible = [...result.values()];
  }

  #contradiction(lines: readonly (readonly Call[])[]): string {
    const told = lines.map((line) =>
      line.map((call) => `  ${call.name}: ${toldOf(call.outcome)}`).join('\n'),
    );
    return `No order of these calls explains what they said:\n${told.join('\n  at the same time\n')}\nbefore them:\n${this.#drawn()}`;
  }

  #drawn(): string {
    return this.#possible.map((one) => drawn(one)).join('\nor\n');
  }
}

function keyOf({ items, responses, operations }: History): string {
  return [...describedAll(items), ...responses, ...operations].join('|');
}

function drawn({ items, responses }: History): string {
  return [
    ...describedAll(items).map((line) => `  ${line}`),
    `  newest response: ${responses.at(-1) ?? 'none'}`,
  ].join('\n');
}

function toldOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'did not come to its end';
  if ('error' in outcome) return `failed with ${String(outcome.error)}`;
  const { value } = outcome;
  const items = Array.isArray(value) ? (value as AgentInputItem[]) : [];
  if (Array.isArray(value))
    return `[\n${describedAll(items)
      .map((line) => `    ${line}`)
      .join('\n')}\n  ]`;
  return typeof value === 'object' && value !== null && 'type' in value
    ? describedAll([value as AgentInputItem]).join()
    : (JSON.stringify(value) ?? 'nothing');
}
