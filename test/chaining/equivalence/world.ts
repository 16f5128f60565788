import type { Runner, Session } from '@openai/agents';
import type { SimulatorCore } from '../../../mocks/index.ts';
import type { Mode } from '../../../src/rollout/mode.ts';

/** A way to run agents against a server of its own. What a world knows nothing of does nothing. */
export interface World {
  readonly simulator: SimulatorCore;
  readonly session: Session;
  runner(model: string): Runner;
  restart(): void;
  fork(): Promise<void>;
  setMode(mode: Mode): void;
  forget(how: 'newest' | 'all' | 'says-so'): Promise<void>;
}
