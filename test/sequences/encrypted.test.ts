import { vi } from 'vitest';
import { proveSequences } from './support/prove-sequences.ts';

vi.mock('../../src/session/sleep.ts', () => import('./support/virtual-sleep.ts'));

proveSequences({ store: 'encrypted', seed: 20261123, share: 0.2 });
