export { redisLedger, type RedisLedgerClient, type RedisLedgerOptions } from './stores/redis/ledger.ts';
export type { RedisScriptOptions } from './stores/redis/scripts.ts';
