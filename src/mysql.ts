export { mysqlLedger, mysqlLedgerSchema, type MysqlLedgerOptions } from './stores/mysql/ledger.ts';
export type { MariadbPool, MysqlCallbackPool, MysqlPool } from './stores/mysql/clients.ts';
