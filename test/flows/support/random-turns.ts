import type { Session } from '@openai/agents';
import * as fc from 'fast-check';
import type OpenAI from 'openai';
import { expect } from 'vitest';
import { HybridRunner, type Mode } from '../../../src/index.ts';
import { simulatedRunner, type Simulated } from '../../support/simulated.ts';
import { converse, listedIds, listOf } from './story.ts';

export const randomMode = fc.constantFrom<Mode>('off', 'shadow', 'rebuild', 'chain');
export const randomUnlink = fc.constantFrom('none' as const, 'id-replay' as const, 'every-turn' as const);
export const randomMirror = fc.constantFrom('await' as const, 'background' as const);

/** A turn: its mode, whether `HybridRunner` takes it, whether it is streamed, and whether it calls a tool. */
export const turnFields = {
  mode: randomMode,
  ours: fc.boolean(),
  stream: fc.boolean(),
  tool: fc.boolean(),
};

interface RandomTurn {
  readonly ours: boolean;
  readonly stream: boolean;
  readonly tool: boolean;
}

/** Takes a turn. @returns the text of the user, and the answer. */
export async function takeTurn(
  client: OpenAI,
  session: Session,
  index: number,
  { ours, stream, tool }: RandomTurn,
): Promise<[text: string, answer: string]> {
  const runner = ours ? new HybridRunner({ tracingDisabled: true }) : simulatedRunner(client);
  const text = `turn ${index}${tool ? ' call get_weather {"city":"Oslo"}' : ''}`;
  const [answer = ''] = await converse(runner, session, [text], { stream });
  return [text, answer];
}

/** Expects each ID once, and these items as letters unless the API unlinked some. */
export function expectListed(
  { simulator }: Simulated,
  conversationId: string,
  unlink: string,
  outlined: string,
): void {
  const ids = listedIds(simulator, conversationId);
  expect(new Set(ids).size).toBe(ids.length);
  if (unlink !== 'every-turn') expect(listOf(simulator, conversationId)).toBe(outlined);
}
