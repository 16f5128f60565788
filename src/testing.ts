export { ledgerStoreContract, type LedgerStoreCheck } from './testing/ledger-store-contract.ts';
export type {
  LedgerStorePlace,
  LedgerStoreSubject,
  OpenLedgerStore,
} from './testing/ledger-store-subject.ts';
export {
  simulatorMatchers,
  type MatcherResult,
  type ModelRequests,
  type SimulatorMatchers,
} from './testing/simulator-matchers.ts';
