export { d1Ledger, D1_LEDGER_SCHEMA, type D1LedgerOptions } from './stores/d1/ledger.ts';
export type { D1LedgerDatabase, D1LedgerStatement } from './stores/d1/database.ts';
