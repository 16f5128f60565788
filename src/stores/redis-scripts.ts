import { createHash } from 'node:crypto';

/** The keys and arguments of a script. */
export interface RedisScriptOptions {
  readonly keys: string[];
  readonly arguments: string[];
}

/** A client, by the methods that run scripts. */
export interface RedisScriptClient {
  eval(script: string, options: RedisScriptOptions): Promise<unknown>;
  evalSha(sha1: string, options: RedisScriptOptions): Promise<unknown>;
}

/** A script, and the hash a server knows it by. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/** What a script answers when it has done its work; otherwise it answers the version it found. */
export const DONE = -1;

/**
 * Compare and append. KEYS: records, head. ARGV: expected version, milliseconds to live or 0, head, records.
 *
 * A script is not rolled back when it fails: what can fail (a key of another type, no memory) fails at its first command
 * or before.
 */
export const APPEND_SCRIPT: RedisScript = script(`
local version = redis.call('LLEN', KEYS[1])
if version ~= tonumber(ARGV[1]) then return version end
for index = 4, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[index]) end
redis.call('SET', KEYS[2], ARGV[3])
if ARGV[2] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return ${DONE}
`);

/** Compare and delete. KEYS: records, head. ARGV: expected version. */
export const DELETE_SCRIPT: RedisScript = script(`
local version = redis.call('LLEN', KEYS[1])
if version ~= tonumber(ARGV[1]) then return version end
redis.call('DEL', KEYS[1], KEYS[2])
return ${DONE}
`);

/** Runs a script by its hash; a server that does not have it yet gets the whole. */
export async function runScript(
  client: RedisScriptClient,
  { text, sha }: RedisScript,
  options: RedisScriptOptions,
): Promise<unknown> {
  try {
    return await client.evalSha(sha, options);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(text, options);
  }
}

function script(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
