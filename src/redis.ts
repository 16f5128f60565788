export { redisLedger, type RedisLedgerOptions } from './stores/redis/ledger.ts';
export type { BunRedisLedgerClient, IoredisLedgerClient, RedisLedgerClient } from './stores/redis/clients.ts';
export type { RedisScriptOptions } from './stores/redis/scripts.ts';
