import { Agent, RunState, tool, type Session } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HybridSession, memoryLedger, type HybridSessionOptions, type Mode } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { historyOf, listOf } from '../flows/support/story.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const removals: string[] = [];

const remove = tool({
  name: 'remove_file',
  description: 'Removes a file',
  parameters: z.object({ path: z.string() }),
  needsApproval: true,
  execute: ({ path }) => {
    removals.push(path);
    return `removed ${path}`;
  },
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [remove] });

const SETUPS: readonly (readonly [string, HybridSessionOptions])[] = [
  ...(['off', 'shadow', 'rebuild', 'chain'] as const satisfies Mode[]).map(
    (rollout) => [`mode ${rollout}`, { rollout }] as const,
  ),
  ['keepContent: false', { keepContent: false }],
  ["mirror: 'background'", { mirror: 'background' }],
];

/** Asks for a removal and gives the state of the interrupted run, as text that another process can read. */
async function interrupted(options: HybridSessionOptions, say = 'call remove_file {"path":"a.txt"}') {
  const world = simulated({ unlink: 'every-turn' });
  const { client } = world;
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger, ...options });
  const runner = simulatedRunner(client);
  await runner.run(agent, 'hi', { session });
  const run = await runner.run(agent, say, { session });
  expect(run.interruptions.length).toBeGreaterThan(0);
  const id = await session.getSessionId();
  await session.flush();
  return { ...world, ledger, session, runner, id, state: run.state.toString() };
}

async function resume(
  session: Session,
  runner: ReturnType<typeof simulatedRunner>,
  text: string,
  decide: 'approve' | 'reject',
): Promise<string> {
  const state = await RunState.fromString(agent, text);
  for (const interruption of state.getInterruptions()) state[decide](interruption);
  const { finalOutput } = await runner.run(agent, state, { session });
  return String(finalOutput);
}

describe.each(SETUPS)('an approval with %s', (_, options) => {
  it('an approval is asked for, given later, and leaves a whole turn', async () => {
    const { session, runner, state, simulator, id } = await interrupted(options);
    const answer = await resume(session, runner, state, 'approve');
    expect(answer).toContain('The tools said "removed a.txt"');
    await session.flush();
    expect(listOf(simulator, id)).toBe('u,u,c,r,a');
    const report = await session.verify();
    expect(report).toMatchObject({ verified: true, length: 6, pending: 0 });
  });

  it('an approval is refused, and the turn is whole', async () => {
    const { session, runner, state } = await interrupted(options);
    removals.length = 0;
    await resume(session, runner, state, 'reject');
    expect(removals).toEqual([]);
    await session.flush();
    expect(await session.verify()).toMatchObject({ verified: true, length: 6, pending: 0 });
  });

  it('an approval is given in another process', async () => {
    const { client, ledger, id, state } = await interrupted(options);
    const session = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      conversationId: id,
      ...options,
    });
    const runner = simulatedRunner(client);
    expect(await resume(session, runner, state, 'approve')).toContain('The tools said "removed a.txt"');
    await session.flush();
    const rebuilt = new HybridSession({
      client,
      ledger,
      conversationId: id,
      keepContent: options.keepContent,
    });
    expect(await historyOf(rebuilt)).toBe('u,a,u,c,r,a');
    expect(await rebuilt.verify()).toMatchObject({ verified: true, length: 6, pending: 0 });
  });

  it('an approval of several calls leaves each call with its result', async () => {
    const { session, runner, state } = await interrupted(
      options,
      'call remove_file {"path":"a"} call remove_file {"path":"b"}',
    );
    const answer = await resume(session, runner, state, 'approve');
    expect(answer).toContain('"removed a" and "removed b"');
    await session.flush();
    expect(await session.verify()).toMatchObject({ verified: true, length: 8, pending: 0 });
    const [next] = texts((await runner.run(agent, 'thanks', { session })).history.slice(-1));
    expect(next).toContain(
      options.rollout === 'off' || options.rollout === 'shadow' ? 'I see' : 'I see 9 items',
    );
  });
});
