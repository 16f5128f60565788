import { vi } from 'vitest';
import { proveSequences } from './support/prove-sequences.ts';

vi.mock('../../src/session/sleep.ts', () => import('./support/virtual-sleep.ts'));

proveSequences({ store: 'sqlite', seed: 20261122, share: 0.28 });
