export { sqliteLedger, type SqliteLedger, type SqliteLedgerOptions } from './stores/sqlite/ledger.ts';
export type { LibsqlClient, LibsqlStatement } from './stores/sqlite/clients.ts';
export type { SqliteDatabase, SqliteStatement, SqliteValue } from './stores/sqlite/database.ts';
export { SQLITE_LEDGER_SCHEMA } from './stores/sqlite/tables.ts';
