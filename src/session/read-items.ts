import type { AgentInputItem } from '@openai/agents';
import { noteServed } from '../model/served-histories.ts';
import type { SessionLife } from './session-life.ts';

/** Reads the history, which is how a turn begins; with a limit its newest items. */
export function readItems(life: SessionLife, limit: unknown): Promise<AgentInputItem[]> {
  return life.telemetry.run('read', (watch) => {
    watch.note({ sessionId: life.sessionId });
    return life.run(async ({ history }, mode) => {
      // What is no number says nothing of how many: better too much than too little.
      const newest = typeof limit === 'number' ? limit : undefined;
      const served = await history.read(mode, newest, watch);
      const beginning = await life.beginning(mode, served);
      life.turn.began({ ...beginning, isPart: newest !== undefined });
      if (served.digest !== undefined) noteServed(life.responses, served.digest);
      return served.items;
    }, true);
  });
}
