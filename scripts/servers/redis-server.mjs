import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, ownServer } from './own-server.mjs';

/**
 * A Redis of its own. With `isDurable` an append that was acknowledged survives a kill.
 *
 * @param folder for its files; created.
 * @param args further arguments, such as `--replicaof`.
 */
export async function startRedis(folder, { isDurable = true, args = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const persistence = isDurable
    ? ['--appendonly', 'yes', '--appendfsync', 'always']
    : ['--appendonly', 'no', '--save', ''];
  const server = await ownServer({
    command: 'redis-server',
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, ...persistence, ...args],
    log: join(folder, 'log'),
    isReady: () => answers(port, 'PING\r\n', /^\+PONG/),
  });
  return { ...server, port, url: `redis://127.0.0.1:${port}` };
}
