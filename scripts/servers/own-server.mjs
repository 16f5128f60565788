import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port of 127.0.0.1 that nothing uses. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a program is on the PATH. */
export const hasProgram = (name) => spawnSync('which', [name], { stdio: 'ignore' }).status === 0;

/**
 * Lets an account use a folder: a server that refuses to run as root runs as the account that its package made.
 *
 * @returns the words before its commands; none unless this process is root's.
 */
export function runAs(account, folder) {
  if (process.getuid?.() !== 0) return [];
  spawnSync('chown', [account, folder]);
  chmodSync(dirname(folder), 0o755);
  return ['setpriv', '--reuid', account, '--regid', account, '--init-groups'];
}

/**
 * A server of its own that can be killed, frozen, and started again on the same port with the same files.
 *
 * @param isReady is asked until it resolves to true.
 */
export async function ownServer({ command, args, options = {}, log, isReady }) {
  let child;
  const start = async () => {
    const output = openSync(log, 'a');
    const started = spawn(command, args, { ...options, stdio: ['ignore', output, output] });
    child = started;
    for (let tries = 0; !(await isReady()); tries += 1) {
      if (started.exitCode !== null || tries > 300)
        throw new Error(`${command} did not start, its log is ${log}`);
      await sleep(50);
    }
  };
  const kill = async (signal = 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  };
  await start();
  return {
    start,
    kill,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    restart: async (down = 0) => {
      await kill();
      await sleep(down);
      await start();
    },
  };
}

/** Whether a server accepts connections and answers. */
export function answers(port, question, expected) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is) => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(1000, () => end(false));
    socket.on('error', () => end(false));
    socket.on('connect', () => socket.write(question));
    socket.on('data', (data) => end(expected.test(data.toString('latin1'))));
  });
}
