import type { LedgerStorePlace } from '../../../src/testing.ts';

/** An engine that ledgers can be opened on, or why it is not there. */
export interface Engine {
  readonly name: string;
  /** Why it cannot be tested here. */
  readonly missing?: string | undefined;
  readonly create: () => LedgerStorePlace | Promise<LedgerStorePlace>;
  /** False for what is gone with the process. */
  readonly durable?: boolean;
}
