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

/** The result of a script that has done its work. Otherwise it returns the version it found. */
export const DONE = -1;

/**
 * Where a log was rewritten, its first element is the position of the second one, as a number; a record is a JSON object. A
 * script that begins with this knows `length` of the list, the position `start` of the first record, how many elements stand before it, and
 * the `version`.
 */
const MEASURE = `
local length = redis.call('LLEN', KEYS[1])
local first = redis.call('LINDEX', KEYS[1], 0)
local start = first and tonumber(first)
local skip = 0
if start then skip = 1 else start = 0 end
local version = start + length - skip
`;

/** KEYS: checkpoint. A script, because a cluster may read a string from a replica, which can lag. */
export const CHECKPOINT_SCRIPT: RedisScript = script("return redis.call('GET', KEYS[1])");

/** KEYS: records. ARGV: first position, position behind the last or -1. Answers the position of the first record, and all. */
export const READ_SCRIPT: RedisScript = script(`${MEASURE}
local from = math.max(tonumber(ARGV[1]), start)
local to = tonumber(ARGV[2])
if to < 0 then to = version end
if to <= from then return { from, {} } end
return { from, redis.call('LRANGE', KEYS[1], from - start + skip, to - start + skip - 1) }
`);

/**
 * Compare, and append or replace. KEYS: records, checkpoint. ARGV: expected version, milliseconds to live or 0, checkpoint, 1 to replace all
 * old records, the elements of the list.
 *
 * A script is not rolled back when it fails: every possible failure (a key of another type, no memory) happens at its first command
 * that writes or before. Therefore it writes the new elements first, and removes the old ones afterwards.
 */
export const WRITE_SCRIPT: RedisScript = script(`${MEASURE}
if version ~= tonumber(ARGV[1]) then return version end
for index = 5, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[index]) end
if ARGV[4] == '1' then redis.call('LTRIM', KEYS[1], length, -1) end
redis.call('SET', KEYS[2], ARGV[3])
if ARGV[2] == '0' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return ${DONE}
`);

/** Compare and delete. KEYS: records, checkpoint. ARGV: expected version. */
export const DELETE_SCRIPT: RedisScript = script(`${MEASURE}
if version ~= tonumber(ARGV[1]) then return version end
redis.call('DEL', KEYS[1], KEYS[2])
return ${DONE}
`);

/** A text of an answer: a client can be set up to give bytes. */
export function textOf(value: unknown): unknown {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}

function script(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
