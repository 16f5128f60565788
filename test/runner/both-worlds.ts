import { expect } from 'vitest';
import {
  chainedWorld,
  replayedWorld,
  sightOf,
  type ChainedWorld,
  type FlowOptions,
  type FlowWorld,
} from './flow-world.ts';

/** What happens in a world, and what the caller sees of it. */
export type Scenario = (world: FlowWorld) => Promise<unknown>;

/**
 * Lets the same happen with our runner and session, with anchored history, and with the SDK's own, and demands that every
 * model saw the same and that every caller did.
 *
 * @returns our world without anchors, for what is to be said about the way there.
 */
export async function inBothWorlds(
  stream: boolean,
  scenario: Scenario,
  options: FlowOptions = {},
): Promise<ChainedWorld> {
  const replayed = replayedWorld(stream, options);
  const theirs = await scenario(replayed);
  const seen = sightOf(replayed);
  const anchored = chainedWorld(stream, { ...options, runner: { ...options.runner, history: 'anchored' } });
  expect(await scenario(anchored)).toEqual(theirs);
  expect(sightOf(anchored)).toEqual(seen);
  const chained = chainedWorld(stream, options);
  expect(await scenario(chained)).toEqual(theirs);
  expect(sightOf(chained)).toEqual(seen);
  return chained;
}

/** Both ways in which a model can answer. */
export const WAYS = [
  ['as JSON', false],
  ['as a stream', true],
] as const;
