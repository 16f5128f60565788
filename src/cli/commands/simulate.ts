import { listen, type Listening, type ListenOptions } from '../../../mocks/http/listen.ts';
import type { LogEntry } from '../../../mocks/http/log.ts';
import type { SimulatorOptions } from '../../../mocks/options.ts';
import { profileNames } from '../../../mocks/profiles/profile-table.ts';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { unlinkPolicyNames } from '../../../mocks/unlinking.ts';
import { escapeControls } from '../../util/escape-controls.ts';
import { CommandError, UsageError, type Command } from '../command.ts';
import { report } from '../output/redact.ts';
import { oneOf, parseOptions, wholeNumber } from '../input/parse-options.ts';

const DEFAULT_PORT = 8787;
/** Bounds the memory of a server that runs for a long time. */
const MAX_RECORDS = 10_000;
const MAX_LATENCY_MS = 24 * 60 * 60 * 1000;

const HELP = `Usage: agents-hybrid-session simulate [options]

Serves a simulator of the Conversations and Responses endpoints over HTTP, for any client in any language: point its
base URL at the URL printed first and use any API key; each key has objects of its own. Everything is kept in memory,
the newest ${MAX_RECORDS.toLocaleString('en')} conversations and responses.

  --port N            the port, 0 for any that is free (default: ${DEFAULT_PORT})
  --host HOST         the address to listen on (default: 127.0.0.1)
  --allow-host NAME   a name by which clients reach it, such as host.docker.internal; may be repeated. Addresses,
                      localhost and names below it need none
  --allow-origin URL  the origin of a web page that may use it, or *; may be repeated. Pages of this machine need none
  --profile NAME      the simulated server (default: openai): zdr, ignores-parent, refuses-parent, forgets-reasoning,
                      slow-to-read, no-conversations, rewrites-ids, drops-tool-calls, or one of these in other
                      words, such as refuses-parent:vllm; docs/simulator.md lists them
  --unlink POLICY     how gpt-5.4 and gpt-5.5 lose messages (default: id-replay):
                        every-turn  earlier answers leave the conversation's list at every turn
                        id-replay   answers leave it when their IDs come back in a request's input
                        none        nothing is lost
  --latency MS        how long each request takes, 0 to ${MAX_LATENCY_MS} (default: 0)
  --seed N            the seed of every ID (default: 1)
  --input-items KIND  what a response's input_items lists: own or inherited (default: own)

Prints the base URL, then one line a request: method, path, status and milliseconds; never content, never keys.

Exit codes: 0 stopped by SIGINT (Ctrl-C) or SIGTERM, 64 wrong arguments, 70 it could not listen.

Examples:
  agents-hybrid-session simulate
  agents-hybrid-session simulate --port 0 --unlink every-turn --latency 50
  agents-hybrid-session simulate --profile ignores-parent
  OPENAI_BASE_URL=http://127.0.0.1:${DEFAULT_PORT}/v1 OPENAI_API_KEY=any node app.js
`;

/** Runs the simulator as a server of its own. */
export const simulate: Command = {
  help: HELP,
  async run(args, io) {
    const { where, options } = parse(args);
    const simulator = createSimulatorCore({ ...options, retain: MAX_RECORDS });
    const timed = timeRequests(simulator);
    const stopped = io.stopped();
    const server = await open(timed.handle, where);
    io.out(`${server.url}\n`);
    io.err('Stop with Ctrl-C.\n');
    const silence = simulator.onRequest((entry) => report(io, describeRequest(entry, timed.elapsed(entry))));
    const signal = await stopped;
    silence();
    await server.close();
    io.err(`Stopped by ${signal}.\n`);
    return 0;
  },
};

function parse(args: readonly string[]): { where: Required<ListenOptions>; options: SimulatorOptions } {
  const values = parseOptions('simulate', args, {
    port: { type: 'string' },
    host: { type: 'string' },
    'allow-host': { type: 'string', multiple: true },
    'allow-origin': { type: 'string', multiple: true },
    profile: { type: 'string' },
    unlink: { type: 'string' },
    latency: { type: 'string' },
    seed: { type: 'string' },
    'input-items': { type: 'string' },
  });
  const port = wholeNumber('simulate', 'port', values.port, { min: 0, max: 65_535, example: DEFAULT_PORT });
  const latency = wholeNumber('simulate', 'latency', values.latency, {
    min: 0,
    max: MAX_LATENCY_MS,
    example: 50,
  });
  const seed = wholeNumber('simulate', 'seed', values.seed, {
    min: Number.MIN_SAFE_INTEGER,
    max: Number.MAX_SAFE_INTEGER,
    example: 1,
  });
  const host = values.host ?? '127.0.0.1';
  if (host === '')
    throw new UsageError('--host must not be empty', 'agents-hybrid-session simulate --host 127.0.0.1');
  return {
    where: {
      port: port ?? DEFAULT_PORT,
      host,
      hosts: values['allow-host'] ?? [],
      origins: values['allow-origin'] ?? [],
    },
    options: {
      profile: oneOf('simulate', 'profile', values.profile, profileNames) ?? 'openai',
      unlink: oneOf('simulate', 'unlink', values.unlink, unlinkPolicyNames) ?? 'id-replay',
      latency: latency ?? 0,
      seed: seed ?? 1,
      inputItems: oneOf('simulate', 'input-items', values['input-items'], ['own', 'inherited']) ?? 'own',
    },
  };
}

async function open(handle: SimulatorCore['handle'], where: Required<ListenOptions>): Promise<Listening> {
  try {
    return await listen(handle, where);
  } catch (error) {
    throw unavailable(error, where);
  }
}

function unavailable(error: unknown, { host, port }: Required<ListenOptions>): unknown {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const reasons: Readonly<Record<string, readonly [code: string, reason: string, hint: string]>> = {
    EADDRINUSE: ['port_in_use', 'another program listens there', 'agents-hybrid-session simulate --port 0'],
    EACCES: ['port_forbidden', 'the system does not allow it', 'agents-hybrid-session simulate --port 8787'],
    EADDRNOTAVAIL: [
      'unknown_host',
      'this machine has no such address',
      'agents-hybrid-session simulate --host 127.0.0.1',
    ],
    ENOTFOUND: ['unknown_host', 'there is no such host', 'agents-hybrid-session simulate --host 127.0.0.1'],
  };
  const known = typeof code === 'string' ? reasons[code] : undefined;
  if (known === undefined) return error;
  return new CommandError(known[0], `Cannot listen on ${host}:${port}: ${known[1]}`, known[2], {
    cause: error,
  });
}

function describeRequest({ method, path, status }: LogEntry, milliseconds: number): string {
  return `${escapeControls(`${method} ${path}`)} ${status ?? '-'} ${Math.round(milliseconds)} ms\n`;
}

/** A simulator whose requests are timed by the real clock; its own stands still between requests. */
export interface TimedRequests {
  readonly handle: SimulatorCore['handle'];
  /** Milliseconds since the request arrived. */
  readonly elapsed: (entry: LogEntry) => number;
}

/** Notes when each request arrives at the simulator. */
export function timeRequests(simulator: SimulatorCore): TimedRequests {
  const arrivals = new WeakMap<LogEntry, number>();
  return {
    handle: (request) => {
      const arrival = performance.now();
      const answer = simulator.handle(request);
      // The entry of a request is written before `handle` returns.
      const entry = simulator.log.at(-1);
      if (entry !== undefined) arrivals.set(entry, arrival);
      return answer;
    },
    elapsed: (entry) => performance.now() - (arrivals.get(entry) ?? Number.NaN),
  };
}
