import { vi } from 'vitest';
import { proveSequences } from './support/prove-sequences.ts';

vi.mock('../../src/session/sleep.ts', () => import('./support/virtual-sleep.ts'));

proveSequences({ store: 'memory', seed: 20261121, share: 0.4 });
