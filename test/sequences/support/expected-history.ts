import type { AgentInputItem } from '@openai/agents';
import { describedAll } from './described.ts';

/** What a session should contain: items, and the responses recorded for it. Plain arrays, oldest first. */
export interface History {
  readonly items: readonly AgentInputItem[];
  readonly responses: readonly string[];
  /** The IDs of the transactions that were applied. */
  readonly operations: readonly string[];
}

/** How a call ended. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** A call on a session, whoever made it. */
export interface Call {
  readonly name: string;
  /** Undefined as long as it has not ended: what a process had under way when it was killed stays so. */
  outcome: Outcome | undefined;
  /** The histories it may leave behind, given the one it found; none when what it said contradicts that one. */
  readonly after: (before: History, outcome: Outcome | undefined) => readonly History[];
  /** It leaves everybody else behind, with an ID of which nothing is known any more. */
  readonly leaves?: boolean;
}

/** What each of several sessions has before it: the same, until one of them has left the others behind. */
interface Views {
  readonly own: readonly History[];
  /** Who has left. */
  readonly by: number | undefined;
  /** Whether that one knows that it has. */
  readonly isSure: boolean;
}

const NOTHING: History = { items: [], responses: [], operations: [] };

/** More than this many histories that are all possible tell nothing any more. */
const MOST = 512;

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

  /** Narrows down what is possible by what was seen. @throws Error when nothing is left. */
  narrow(isSo: (history: History) => boolean, seen: () => string): void {
    const left = this.#possible.filter((one) => isSo(one));
    if (left.length === 0) throw new Error(`${seen()}\nThis was to be expected:\n${this.#drawn()}`);
    this.#possible = left;
  }

  /**
   * Takes in calls: each line in its order, the lines in any. What is possible afterwards is what the first line has.
   *
   * @throws Error when no order explains what the calls said.
   */
  explain(lines: readonly (readonly Call[])[]): void {
    const result = new Map<string, History>();
    const seen = new Set<string>();
    const walk = (views: Views, at: readonly number[]): void => {
      const key = `${at.join()} ${String(views.by)} ${views.own.map((one) => keyOf(one)).join(' / ')}`;
      if (seen.has(key)) return;
      seen.add(key);
      let isEnd = true;
      for (const [index, line] of lines.entries()) {
        const call = line[at[index] ?? 0];
        if (call === undefined) continue;
        isEnd = false;
        const next = at.map((one, which) => (which === index ? one + 1 : one));
        for (const after of viewsAfter(views, index, call, lines.length)) walk(after, next);
      }
      if (!isEnd) return;
      const { own, by, isSure } = views;
      // A clear that failed leaves what others have added since.
      for (const history of by === 0 && !isSure ? own : own.slice(0, 1)) result.set(keyOf(history), history);
    };
    for (const history of this.#possible) {
      walk(
        { own: lines.map(() => history), by: undefined, isSure: true },
        lines.map(() => 0),
      );
    }
    if (result.size === 0) throw new Error(this.#contradiction(lines));
    if (result.size > MOST)
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

function viewsAfter({ own, by, isSure }: Views, index: number, call: Call, count: number): Views[] {
  const before = own[index] ?? NOTHING;
  // Whoever was left behind may see it go at any moment.
  const seen = by === undefined || by === index ? [before] : [before, NOTHING];
  return seen.flatMap((one) =>
    call.after(one, call.outcome).flatMap((after): Views[] => {
      const together: Views = { own: own.map(() => after), by, isSure };
      if (call.leaves === true && count > 1 && after !== one && by === undefined) {
        const isDone = call.outcome !== undefined && 'value' in call.outcome;
        // What others say behind it may be moved to where everybody goes on.
        return [{ own: own.map(() => NOTHING), by: index, isSure: isDone }, together];
      }
      if (by === undefined) return [together];
      return [{ own: own.map((view, which) => (which === index ? after : view)), by, isSure }];
    }),
  );
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
