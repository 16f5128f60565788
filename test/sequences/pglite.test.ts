import { proveSequences } from './support/prove-sequences.ts';

proveSequences({ store: 'pglite', seed: 20261124, share: 0.02 });
