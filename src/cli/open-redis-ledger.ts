import { redisLedger, type RedisLedgerClient } from '../redis.ts';
import type { CliIo } from './command.ts';
import type { LedgerLocation } from './ledger-location.ts';
import { loadDriver, unreachable } from './load-driver.ts';
import type { OpenedLedger, OpenLedgerOptions } from './open-ledger.ts';

/** How long a server may take to answer at first, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;

interface RedisClient extends RedisLedgerClient {
  connect(): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  destroy?(): void;
  disconnect?(): Promise<void>;
}

interface RedisDriver {
  createClient(options: {
    url: string;
    socket: { connectTimeout: number; reconnectStrategy: false };
  }): RedisClient;
}

/** Opens a ledger in Redis over one connection. @throws CommandError. */
export async function openRedisLedger(
  io: Pick<CliIo, 'load'>,
  { url, name, prefix }: Extract<LedgerLocation, { kind: 'redis' }>,
  { command }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const driver = (await loadDriver(io.load, 'redis')) as RedisDriver;
  // It would connect again for ever, and a command is there to say that nobody answers.
  const client = driver.createClient({
    url,
    socket: { connectTimeout: CONNECT_TIMEOUT, reconnectStrategy: false },
  });
  // Without a listener an error outside of a call ends the process, with the error's own words.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(
      error,
      name,
      `hybrid-session ${command} ... --ledger redis:redis://USER:PASSWORD@HOST:6379/0`,
    );
  }
  const store = redisLedger({ client, ...(prefix === undefined ? {} : { prefix }) });
  return {
    store,
    name,
    close: async () => {
      if (client.destroy === undefined) await client.disconnect?.();
      else client.destroy();
    },
  };
}
