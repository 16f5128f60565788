// The same after the change: node server.js
import {
  closeAll,
  HybridSession,
  ledgerFrom,
  rolloutFrom,
  rolloutSwitch,
  run,
  statsCollector,
} from 'agents-hybrid-session';
import { agent } from './agent.js';
import { serve } from './chat-server.js';

const ledger = ledgerFrom(process.env.HYBRID_SESSION_LEDGER ?? 'sqlite:sessions.db');
// HYBRID_SESSION_ROLLOUT, such as 'shadow' or 'rebuild 5% else shadow'.
const control = rolloutSwitch(rolloutFrom(process.env));
const collector = statsCollector();

serve({
  async ask(text, conversationId) {
    const session = new HybridSession({
      conversationId,
      ledger,
      rollout: control.rollout,
      observers: [collector],
      advanced: { compare: 'on-read' }, // reads the list at each turn, to count its losses: leave it out at the end
    });
    const result = await run(agent, text, { session });
    return {
      answer: result.finalOutput,
      conversationId: await session.getSessionId(),
      responseIds: result.rawResponses.map(({ responseId }) => responseId),
    };
  },
  // An operator's routes: an app protects them, or reads a flag service instead.
  routes: {
    'GET /stats': () => {
      const { turns, lossRate, lostItems, restored, requests, shadowPlans, events } = collector.stats();
      return { turns, lossRate, lostItems, restored, requests, shadowPlans, events };
    },
    'PUT /rollout': (text) => {
      control.set(rolloutFrom(text.trim()));
      return { rollout: text.trim() };
    },
  },
  async end() {
    await closeAll({ timeout: 10_000 });
    await ledger.close();
  },
});
