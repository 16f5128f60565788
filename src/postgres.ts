export {
  postgresLedger,
  postgresLedgerSchema,
  type PostgresLedgerOptions,
  type PostgresPool,
} from './stores/postgres/ledger.ts';
