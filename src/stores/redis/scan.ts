import { isObject } from '../../util/json.ts';
import { textOf } from './scripts.ts';

/** How many keys a server goes through for one answer. */
const SCAN_COUNT = 500;

/** A client of one server. */
interface RedisScanner {
  scan(
    cursor: string,
    options: { readonly MATCH: string; readonly COUNT: number },
  ): Promise<{ readonly cursor: unknown; readonly keys: readonly unknown[] }>;
}

/** A client of a cluster. */
interface RedisClusterClient {
  readonly masters: readonly unknown[];
  nodeClient(node: unknown): RedisScanner | Promise<RedisScanner>;
}

/** Whether a client can go through the keys. */
export function canScan(client: object): boolean {
  return isScanner(client) || isCluster(client);
}

/** The keys that match a pattern, as answers bring them: a key can come again. A cluster is asked at every master. */
export async function* scanKeys(client: object, pattern: string): AsyncGenerator<string[]> {
  for (const connect of scannersOf(client)) {
    const scanner = await connect();
    let cursor = '0';
    do {
      const answer = await scanner.scan(cursor, { MATCH: pattern, COUNT: SCAN_COUNT });
      yield answer.keys.map((key) => String(textOf(key)));
      cursor = String(textOf(answer.cursor));
    } while (cursor !== '0');
  }
}

/** A text as the part of a pattern that matches nothing else. */
export function literal(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}

/** A cluster that is not connected knows no masters: it says so itself when it is asked. */
function scannersOf(client: object): (() => RedisScanner | Promise<RedisScanner>)[] {
  if (isCluster(client) && client.masters.length > 0)
    return client.masters.map((node) => () => client.nodeClient(node));
  return isScanner(client) ? [() => client] : [];
}

function isScanner(client: unknown): client is RedisScanner {
  return isObject(client) && typeof client['scan'] === 'function';
}

function isCluster(client: object): client is RedisClusterClient {
  return isObject(client) && Array.isArray(client['masters']) && typeof client['nodeClient'] === 'function';
}
