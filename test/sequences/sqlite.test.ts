import { proveSequences } from './support/prove-sequences.ts';

proveSequences({ store: 'sqlite', seed: 20261122, share: 0.28 });
