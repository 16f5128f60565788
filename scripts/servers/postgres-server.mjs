import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { answers, freePort, hasProgram, ownServer, runAs } from './own-server.mjs';

const PACKAGES = '/usr/lib/postgresql';
/** A request for TLS; the server answers with one letter once it takes connections. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The folder of the programs, or undefined where there is no PostgreSQL. */
export function postgresPrograms() {
  const versions = readable(PACKAGES).toSorted((a, b) => Number(b) - Number(a));
  const found = versions
    .map((version) => join(PACKAGES, version, 'bin'))
    .find((bin) => readable(bin).includes('initdb'));
  if (found !== undefined) return found;
  if (!hasProgram('initdb')) return undefined;
  const { stdout } = spawnSync('sh', ['-c', 'readlink -f "$(command -v initdb)"'], { encoding: 'utf8' });
  return dirname(stdout.trim());
}

/** A PostgreSQL of its own. A transaction that was acknowledged survives a kill of the server, but no power cut. */
export async function startPostgres(folder, { args = [] } = {}) {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('There is no PostgreSQL on this machine');
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const as = runAs('postgres', folder);
  const data = join(folder, 'data');
  const [command, ...init] = [
    ...as,
    join(programs, 'initdb'),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '--no-sync',
  ];
  const made = spawnSync(command, init, { cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'max_connections=100',
  ];
  const [program, ...before] = [...as, join(programs, 'postgres')];
  const server = await ownServer({
    command: program,
    args: [
      ...before,
      '-D',
      data,
      '-p',
      String(port),
      ...[...settings, ...args].flatMap((one) => ['-c', one]),
    ],
    options: { cwd: folder },
    log: join(folder, 'log'),
    isReady: () => answers(port, SSL_REQUEST, /^[NS]/),
  });
  return {
    ...server,
    port,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    // At once and with its backends: a SIGKILL would leave them behind.
    kill: () => server.kill('SIGQUIT'),
    restart: async (down) => {
      await server.kill('SIGQUIT');
      await new Promise((resolve) => setTimeout(resolve, down));
      await server.start();
    },
  };
}

function readable(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
