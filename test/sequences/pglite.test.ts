import { vi } from 'vitest';
import { proveSequences } from './support/prove-sequences.ts';

vi.mock('../../src/session/sleep.ts', () => import('./support/virtual-sleep.ts'));

proveSequences({ store: 'pglite', seed: 20261124, share: 0.02 });
