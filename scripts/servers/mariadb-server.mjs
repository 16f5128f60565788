import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, hasProgram, ownServer, runAs } from './own-server.mjs';

/** Whether there is a MariaDB on this machine. */
export const hasMariadb = () => hasProgram('mariadbd') && hasProgram('mariadb-install-db');

/** A MariaDB of its own. A transaction that was acknowledged survives a kill of the server, but no power cut. */
export async function startMariadb(folder) {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const as = runAs('mysql', folder);
  const data = `--datadir=${join(folder, 'data')}`;
  const install = ['mariadb-install-db', '--no-defaults', data, '--auth-root-authentication-method=normal'];
  const [installer, ...rest] = [...as, ...install];
  const made = spawnSync(installer, rest, { cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`mariadb-install-db failed: ${made.stderr}`);
  const settings = [
    data,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=2',
    // The check for an answer ends its connection.
    '--max-connect-errors=100000',
  ];
  const [command, ...args] = [...as, 'mariadbd', '--no-defaults', ...settings];
  const server = await ownServer({
    command,
    args,
    options: { cwd: folder },
    log: join(folder, 'log'),
    isReady: () => answers(port, '', /MariaDB/),
  });
  return { ...server, port, url: `mysql://root@127.0.0.1:${port}/test` };
}
