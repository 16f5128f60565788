export {
  postgresLedger,
  postgresLedgerSchema,
  type PostgresLedgerOptions,
} from './stores/postgres/ledger.ts';
export type { NeonSql, PostgresJsSql, PostgresPool } from './stores/postgres/clients.ts';
