import { Agent, type AgentInputItem, type RunContext } from '@openai/agents';
import { expect, it } from 'vitest';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld } from './support/compaction-world.ts';
import { historyOf } from './support/story.ts';

useVirtualTime();

interface Caller {
  readonly user: string;
}

/** A session that notes the caller of each run. */
class AuditedSession extends HybridSession {
  readonly acceptsRunContext = true;
  readonly noted: string[] = [];

  override async getItems(limit?: number, context?: RunContext<Caller>): Promise<AgentInputItem[]> {
    this.noted.push(`read for ${context?.context.user}`);
    return super.getItems(limit);
  }

  override async addItems(items: AgentInputItem[], context?: RunContext<Caller>): Promise<void> {
    this.noted.push(`write for ${context?.context.user}`);
    await super.addItems(items);
  }
}

it.each([
  ['chained', ['replay', 'chain']],
  ['stock', []],
] as const)('a subclass receives the context of the run (%s runner)', async (name, plans) => {
  const { client, told, ...made } = compactionWorld();
  const runner = name === 'chained' ? new HybridRunner({ tracingDisabled: true }) : made.stock;
  const observers = [told.observer];
  const session = new AuditedSession({ client, mirror: 'off', sessionId: 'user-42', observers });
  const agent = new Agent<Caller>({ name: 'Assistant', model: 'gpt-4.1' });
  for (const user of ['Ada', 'Grace']) await runner.run(agent, 'hello', { session, context: { user } });
  expect(session.noted).toEqual(['read for Ada', 'write for Ada', 'read for Grace', 'write for Grace']);
  expect(await historyOf(session)).toBe('u,a,u,a');
  expect(told.plans.map(({ plan }) => plan)).toEqual(plans);
});
