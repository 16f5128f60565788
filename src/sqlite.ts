export { sqliteLedger, type SqliteLedger, type SqliteLedgerOptions } from './stores/sqlite/ledger.ts';
export type { SqliteDatabase, SqliteStatement, SqliteValue } from './stores/sqlite/database.ts';
export { SQLITE_LEDGER_SCHEMA } from './stores/sqlite/tables.ts';
