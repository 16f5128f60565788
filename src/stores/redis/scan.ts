import { InvalidOptionsError } from '../../errors/options.ts';
import type { RedisCommands } from './commands.ts';
import { textOf } from './scripts.ts';

/**
 * The keys that match a pattern, as answers bring them: a key can come again. A cluster is asked at every master.
 *
 * @throws InvalidOptionsError for a client that cannot go through the keys.
 */
export async function* scanKeys(commands: RedisCommands, pattern: string): AsyncGenerator<string[]> {
  const { keyPrefix } = commands;
  const scanners = commands.scanners();
  if (scanners.length === 0)
    throw new InvalidOptionsError('client', "needs 'scan', or 'masters' and 'nodeClient' of a cluster", {
      subject: 'the list of the sessions in Redis',
    });
  for (const connect of scanners) {
    const scan = await connect();
    let cursor = '0';
    do {
      const [next, keys] = await scan(cursor, `${literal(keyPrefix)}${pattern}`);
      yield keys.map((key) => String(textOf(key)).slice(keyPrefix.length));
      cursor = String(textOf(next));
    } while (cursor !== '0');
  }
}

/** A text as the part of a pattern that matches nothing else. */
export function literal(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}
