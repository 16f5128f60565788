import { expect } from 'vitest';
import { PROFILES } from '../support/profiles.ts';
import {
  chainedWorld,
  replayedWorld,
  sightOf,
  type ChainedWorld,
  type FlowOptions,
  type FlowWorld,
} from './flow-world.ts';

/** Runs in a world, and returns the results that the caller sees. */
export type Scenario = (world: FlowWorld) => Promise<unknown>;

/**
 * Runs a scenario with the SDK's runner and session, and with ours: with the whole history, with a history reference, and on
 * every server that differs from the API. Expects equal model inputs and equal results.
 *
 * @returns our world with the whole history, for further expectations.
 */
export async function inBothWorlds(
  stream: boolean,
  scenario: Scenario,
  options: FlowOptions = {},
): Promise<ChainedWorld> {
  const replayed = replayedWorld(stream, options);
  const theirs = await scenario(replayed);
  const seen = sightOf(replayed);
  const referenced = chainedWorld(stream, {
    ...options,
    runner: { ...options.runner, history: 'reference' },
  });
  expect(await scenario(referenced)).toEqual(theirs);
  expect(sightOf(referenced)).toEqual(seen);
  const chained = chainedWorld(stream, options);
  expect(await scenario(chained)).toEqual(theirs);
  expect(sightOf(chained)).toEqual(seen);
  for (const [index, profile] of (options.profiles ?? PROFILES).entries()) {
    // Each server gets both kinds of history: one as JSON and the other as a stream.
    const history = (index % 2 === 0) === stream ? 'whole' : 'reference';
    const elsewhere = chainedWorld(stream, {
      ...options,
      simulator: { ...options.simulator, profile },
      runner: { ...options.runner, history },
    });
    const ours = await scenario(elsewhere);
    expect({ profile, history, ours, seen: sightOf(elsewhere) }).toEqual({
      profile,
      history,
      ours: theirs,
      seen,
    });
  }
  return chained;
}

/** The response formats of a model request. */
export const WAYS = [
  ['as JSON', false],
  ['as a stream', true],
] as const;
