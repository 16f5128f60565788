import { vi } from 'vitest';
import { proveSequences } from './support/prove-sequences.ts';

vi.mock('../../src/session/sleep.ts', () => import('./support/virtual-sleep.ts'));

proveSequences({ store: 'conversation', seed: 20261125, share: 0.1 });
