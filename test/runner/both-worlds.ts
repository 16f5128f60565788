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
 * Lets the same happen with our runner and session and with the SDK's own, and demands that every model saw the same and
 * that every caller did.
 *
 * @returns our world, for what is to be said about the way there.
 */
export async function inBothWorlds(
  stream: boolean,
  scenario: Scenario,
  options: FlowOptions = {},
): Promise<ChainedWorld> {
  const chained = chainedWorld(stream, options);
  const replayed = replayedWorld(stream, options);
  const [ours, theirs] = [await scenario(chained), await scenario(replayed)];
  expect(sightOf(chained)).toEqual(sightOf(replayed));
  expect(ours).toEqual(theirs);
  return chained;
}

/** Both ways in which a model can answer. */
export const WAYS = [
  ['as JSON', false],
  ['as a stream', true],
] as const;
