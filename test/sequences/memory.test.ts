import { proveSequences } from './support/prove-sequences.ts';

proveSequences({ store: 'memory', seed: 20261121, share: 0.4 });
