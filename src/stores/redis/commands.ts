import type { RedisScript, RedisScriptOptions } from './scripts.ts';

/** The commands of the ledger, whichever client sends them. */
export interface RedisCommands {
  /** Runs a script by its hash; fails with `NOSCRIPT` where the server does not know it. */
  evalSha(script: RedisScript, options: RedisScriptOptions): Promise<unknown>;
  eval(script: RedisScript, options: RedisScriptOptions): Promise<unknown>;
  del(keys: string[]): Promise<unknown>;
  /** Every server that has keys; none where the client cannot go through them. */
  scanners(): readonly Connect[];
  /** The text that the client itself puts before every key, but not before a pattern. */
  readonly keyPrefix: string;
}

/** Goes through the keys of one server: answers the next cursor and some keys that match. */
export type RedisScan = (cursor: string, pattern: string) => Promise<readonly [unknown, readonly unknown[]]>;

type Connect = () => RedisScan | Promise<RedisScan>;

/** Runs a script by its hash; a server that does not have it yet gets the whole. */
export async function runScript(
  commands: RedisCommands,
  script: RedisScript,
  options: RedisScriptOptions,
): Promise<unknown> {
  try {
    return await commands.evalSha(script, options);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return commands.eval(script, options);
  }
}
