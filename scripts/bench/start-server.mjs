import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));

/**
 * Starts the simulator in a process of its own.
 * `take()` gives the requests since the last time: each with its operation and the bytes of its bodies, the bytes on
 * the wire with headers, and the CPU it took.
 */
export async function startServer({ latency, retain = 5000 }) {
  const server = fork(SERVER, [JSON.stringify({ latency, retain })], { execArgv: [] });
  const asked = new Map();
  let count = 0;
  const url = await new Promise((resolve, reject) => {
    server.once('exit', (code) => reject(new Error(`bench: the server ended with ${code}`)));
    server.on('message', ({ url: started, id, result }) => {
      if (started !== undefined) return resolve(started);
      asked.get(id)(result);
      asked.delete(id);
    });
  });
  const ask = (command) =>
    new Promise((resolve) => {
      const id = (count += 1);
      asked.set(id, resolve);
      server.send({ id, command });
    });
  return {
    url,
    take: () => ask('take'),
    reset: () => ask('reset'),
    close: () => server.disconnect(),
  };
}
