import { proveSequences } from './support/prove-sequences.ts';

proveSequences({ store: 'encrypted', seed: 20261123, share: 0.2 });
