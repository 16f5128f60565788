// The bundlers: each builds a small app, and runs the bundle as a server would.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../servers/own-server.mjs';

/** CommonJS packages in a bundle of ES modules call `require`. */
const REQUIRE =
  '--banner:js=import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';
const ESBUILD = ['esbuild', '--bundle', '--platform=node', '--log-level=warning'];

export const CELLS = [
  {
    name: 'esbuild, ES module',
    bundle: [...ESBUILD, 'main.mjs', '--format=esm', REQUIRE, '--outfile=out/esm.mjs'],
    start: ['node', 'out/esm.mjs'],
  },
  {
    name: 'esbuild, CommonJS',
    bundle: [...ESBUILD, 'main.mjs', '--format=cjs', '--outfile=out/cjs.cjs'],
    start: ['node', 'out/cjs.cjs'],
  },
  { name: 'Vite, SSR', bundle: ['vite', 'build'], start: ['node', 'out/vite/main.js'] },
  {
    name: 'Bun, for Node',
    bundle: ['bun', 'build', 'main.mjs', '--target=node', '--outfile=out/bun-node.mjs'],
    start: ['node', 'out/bun-node.mjs'],
  },
  {
    name: 'Bun, for Bun',
    bundle: ['bun', 'build', 'main.mjs', '--target=bun', '--outfile=out/bun.mjs'],
    start: ['bun', 'out/bun.mjs'],
  },
  ...['turbopack', 'webpack'].map((kind) => ({
    name: `Next.js, ${kind}`,
    env: { NEXT_TELEMETRY_DISABLED: '1', DIST_DIR: `.${kind}` },
    bundle: ['next', 'build', 'next', `--${kind}`],
    serve: (port) => ['next', 'start', 'next', '-H', '127.0.0.1', '-p', String(port)],
    ask: (served) => served(async (url) => (await ask(`${url}/probe`)).json()),
  })),
  {
    // The app of examples/worker, by its own commands.
    name: 'esbuild, workerd',
    isExample: true,
    folder: 'worker',
    bundle: ['npm', 'run', 'build'],
    serve: (port) => ['node', 'serve.js', String(port)],
    ask: askWorker,
  },
  {
    // The app of examples/next-chat.
    name: 'Next.js, the example',
    isExample: true,
    env: { NEXT_TELEMETRY_DISABLED: '1', SQLITE_PATH: 'next-chat.db' },
    bundle: ['next', 'build', 'next-chat'],
    serve: (port) => ['next', 'start', 'next-chat', '-H', '127.0.0.1', '-p', String(port)],
    ask: askChat,
  },
];

/**
 * Builds and runs a cell in an installed folder.
 *
 * @returns the last `answers`, and the error of a driver that is `missing`. @throws Error with the output.
 */
export async function runCell({ bundle, start, serve, ask, ...cell }, { folder, env }) {
  const options = { cwd: join(folder, cell.folder ?? ''), env: { ...env, ...cell.env } };
  const run = ([name, ...args]) => output(programIn(folder, name), args, options);
  await run(bundle);
  if (start !== undefined) return JSON.parse(await run(start));
  /** Starts the server for the work, and ends it. */
  const served = async (work) => {
    const port = await freePort();
    const [name, ...args] = serve(port);
    // A group of its own: the server may be a child of the command.
    const server = spawn(programIn(folder, name), args, { ...options, stdio: 'ignore', detached: true });
    const ended = once(server, 'exit');
    try {
      return await work(`http://127.0.0.1:${port}`);
    } finally {
      if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, 'SIGKILL');
      await ended;
    }
  };
  return ask(served);
}

function programIn(folder, name) {
  if (name === 'npm') return name;
  return name === 'node' ? process.execPath : join(folder, 'node_modules', '.bin', name);
}

/** Two questions of one user: the second one to another start of the Worker, on the same D1 database. */
async function askWorker(served) {
  await served((url) => ask(`${url}?user=ada`, 'my name is Ada'));
  const { answer } = await served(async (url) => (await ask(`${url}?user=ada`, 'what is my name?')).json());
  return { answers: [answer] };
}

/** Two questions of one user, whose session is the same in each request. */
async function askChat(served) {
  return served(askChatAt);
}

async function askChatAt(url) {
  await ask(`${url}/api/chat`, JSON.stringify({ message: 'my name is Ada' })).then((one) => one.text());
  const answer = await ask(`${url}/api/chat`, JSON.stringify({ message: 'what is my name?' }));
  const text = await answer.text();
  const items = await (await ask(`${url}/api/chat`)).json();
  const said = items.map(({ role }) => role).join();
  if (said !== 'user,assistant,user,assistant') throw new Error(`The conversation has ${said}`);
  const page = await (await ask(url)).text();
  if (!page.includes('<form')) throw new Error('The page has no form');
  return { answers: [text] };
}

/** The response of a server that may still be starting. */
async function ask(url, body) {
  for (let tries = 0; tries < 300; tries += 1) {
    const response = await fetch(url, body === undefined ? {} : { method: 'POST', body }).catch(
      () => undefined,
    );
    if (response?.ok) return response;
    if (response !== undefined)
      throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    await sleep(200);
  }
  throw new Error(`${url} did not answer`);
}

async function output(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => (stdout += String(data)));
  child.stderr.on('data', (data) => (stderr += String(data)));
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}
