import { proveSequences } from './support/prove-sequences.ts';

proveSequences({ store: 'bookmark', seed: 20261125, share: 0.1 });
