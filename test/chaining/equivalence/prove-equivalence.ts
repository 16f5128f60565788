import type { AgentInputItem } from '@openai/agents';
import { assert, asyncProperty } from 'fast-check';
import { expect } from 'vitest';
import { itemDigest } from '../../../src/items/digest.ts';
import { answeredRequests, comparableContext } from './comparable-context.ts';
import { chainingWorld, type ChainingOptions, type ChainingWorld } from './chaining-world.ts';
import { play } from './play.ts';
import { replayingWorld } from './replaying-world.ts';
import { script, type Step } from './script.ts';
import type { World } from './world.ts';

/** How often each decision was made. */
export type Decisions = Map<string, number>;

/** What is asked of a proof. */
export interface ProofOptions extends ChainingOptions {
  readonly seed: number;
  readonly cases: number;
}

/**
 * Plays random scripts in both worlds and demands that every model saw the same.
 *
 * A failure names the seed and the smallest script that shows it.
 */
export async function proveEquivalence({ seed, cases, ...options }: ProofOptions): Promise<Decisions> {
  const decisions: Decisions = new Map();
  await assert(
    asyncProperty(script, async (played) => {
      const steps = options.profile === undefined ? played : withoutCuts(played);
      const chaining = chainingWorld(options);
      const chained = await sightOf(chaining, steps);
      expect(chained).toEqual(await sightOf(replayingWorld(), steps));
      expectThriftyRequests(chaining);
      // The SDK's runner does not say whose its requests are, so that not every answer is claimed.
      const isKnown = options.ownRunner !== true && steps.every((step) => isTransparent(step));
      if (isKnown) expectOnlyNews(chaining);
      for (const { reason } of chaining.plans) decisions.set(reason, (decisions.get(reason) ?? 0) + 1);
    }),
    { seed, numRuns: cases },
  );
  return decisions;
}

/** Where a request is refused or made again, a cut of its stream strikes another one in each world. */
function withoutCuts(steps: readonly Step[]): Step[] {
  return steps.map((step) => (step.type === 'turn' ? { ...step, cut: undefined } : step));
}

/** All that a model saw, all that the caller saw, and what the session remembers in the end. */
async function sightOf(world: World, steps: readonly Step[]): Promise<unknown> {
  const outcomes: unknown[] = [];
  for (const step of steps) outcomes.push(await play(world, step));
  const requests = answeredRequests(world.simulator);
  const history = (await world.session.getItems()).flatMap((item) => rememberedOf(item));
  const helped = requests.filter(({ body }) => body?.['instructions'] === 'help');
  const asked = requests.filter(({ body }) => body?.['instructions'] !== 'help');
  return {
    script: steps.map((step) => JSON.stringify(step)),
    contexts: asked.map(({ body, context }) => [body?.['instructions'], ...comparableContext(context)]),
    // Agents that are used as tools side by side are asked in any order.
    helped: helped.map(({ context }) => comparableContext(context).join()).toSorted(),
    outcomes,
    history,
  };
}

function rememberedOf(item: AgentInputItem): string[] {
  const digest = itemDigest(item);
  return digest === null ? [] : [`${item.type ?? 'message'} ${digest}`];
}

/** A chained request carries no ID of an item, and no agent that is used as a tool continues anything. */
function expectThriftyRequests({ simulator }: ChainingWorld): void {
  for (const { body } of answeredRequests(simulator)) {
    if (typeof body?.['previous_response_id'] !== 'string') continue;
    expect(body['instructions']).not.toBe('help');
    expect(JSON.stringify(body['input'])).not.toMatch(/"id":/);
  }
}

/** Whether the session still knows every answer afterwards, and may continue from it. */
function isTransparent(step: Step): boolean {
  if (step.type === 'turn') return step.cut === undefined;
  return step.type === 'pop' || step.type === 'edit' || step.type === 'mutate';
}

/** A chained request sends what follows the longest context that ends with an answer, and not an item more. */
function expectOnlyNews({ simulator }: ChainingWorld): void {
  const ended: string[][] = [];
  for (const { previousResponseId, input, context, output } of simulator.snapshot().responses) {
    const lines = comparableContext(context);
    if (previousResponseId !== undefined) {
      const longest = Math.max(...ended.filter((end) => isPrefix(end, lines)).map((end) => end.length));
      expect(comparableContext(input)).toEqual(lines.slice(longest));
    }
    ended.push([...lines, ...comparableContext(output)]);
  }
}

function isPrefix(shorter: readonly string[], longer: readonly string[]): boolean {
  return shorter.length < longer.length && shorter.every((line, index) => line === longer[index]);
}
