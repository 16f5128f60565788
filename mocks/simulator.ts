import type { Fault } from './faults/fault-table.ts';
import { FaultRegistry } from './faults/fault-registry.ts';
import { abortableFetch, breakableHandle } from './http/abortable-fetch.ts';
import { BrokenConnection } from './http/broken-connection.ts';
import { listen, type Listening, type ListenOptions } from './http/listen.ts';
import { RequestLog, type LogEntry } from './http/log.ts';
import type { Operation } from './http/operations.ts';
import { RequestHandler } from './http/request-handler.ts';
import type { SimulatorOptions } from './options.ts';
import { restoreWorld } from './restore.ts';
import { resolveOptions, type SimulatorSettings } from './resolve-options.ts';
import type { RequestMatch } from './script/request-match.ts';
import { Script, type Scripting } from './script/script.ts';
import { snapshotWorld, type SimulatorSnapshot } from './snapshot.ts';
import { Unlinking } from './unlinking.ts';
import { Recorder, type RecordOptions } from './upstream/recorder.ts';
import { World } from './world/world.ts';

export type { SimulatorOptions } from './options.ts';

/** A stateful stand-in for the Conversations and Responses endpoints, without any way in but these. */
export interface SimulatorCore {
  /** Answers one request, wherever it came from. */
  handle(request: Request): Promise<Response>;
  /** For `new OpenAI({ fetch })`: no server, no interception. */
  readonly fetch: typeof fetch;
  /** Serves the simulator over HTTP, for any client in any language. */
  listen(options?: ListenOptions): Promise<Listening>;
  /** Makes something go wrong from the next request on; returns a function that lifts it. */
  fault(operation: Operation | '*', fault: Fault): () => void;
  /**
   * Scripts replies to the requests that fit. Of several rules the first one with a reply left answers. Without rules the
   * built-in model answers; with rules, a request that none fits is refused with `no_scripted_reply` (400) and the reason
   * of each rule, unless the option `respond` answers it.
   * @throws RangeError for an unknown field, of which it names the right ones.
   * @throws TypeError for an agent without instructions of its own.
   * @example
   * simulator.when({ tool: 'get_weather' }).always({ json: { sky: 'clear' } });
   * simulator.when({ input: /weather/ }).reply({ calls: [{ name: 'get_weather' }] }, { status: 429 }, 'Later');
   */
  when(match: RequestMatch): Scripting;
  /**
   * Records: each request that the file does not have goes to a server once, with its own key, and its answer goes into
   * the file, without headers, keys and other secrets; all others are answered from the file. Equal requests (method,
   * path, query, body) are told apart by their order. Nothing is simulated meanwhile, but errors of faults strike.
   * Returns a function that ends it.
   * @throws RangeError for an unknown option. Error for a file that cannot be read.
   * @example
   * simulator.record({ file: 'test/weather.jsonl' });
   * const runner = simulator.runner({ client: simulator.client({ apiKey: process.env.OPENAI_API_KEY }) });
   */
  record(options: RecordOptions): () => void;
  /**
   * Answers every request from a file of `record()`, and refuses others (400, `not_recorded`). Returns a function that
   * ends it.
   * @throws Error for a file that is missing or cannot be read.
   */
  replay(file: string): () => void;
  /** Every request since the start or the last reset, oldest first; the newest ones only, with `retain`. */
  readonly log: readonly LogEntry[];
  /** Calls the listener at every finished request; returns a function that ends it. */
  onRequest(listener: (entry: LogEntry) => void): () => void;
  /** Everything the simulator holds, as plain data that does not change any more. */
  snapshot(): SimulatorSnapshot;
  /**
   * Puts a snapshot in the place of all objects, also one of another simulator or one that was JSON in between. The clock
   * goes on from the newest object. A key has the account of the name that it had; in another simulator the first key gets
   * `tenant-1`. Log, faults, scripts and options stay. Repeated beginnings count as cached tokens only from then on.
   * @throws TypeError for a value that is no snapshot, or one with a response in progress; nothing has changed then.
   * @example
   * const seeded = simulator.snapshot();
   * beforeEach(() => simulator.restore(seeded));
   */
  restore(snapshot: SimulatorSnapshot): void;
  /**
   * Moves the simulator's clock on by that many milliseconds.
   * @throws RangeError for a value that is no number.
   */
  advance(milliseconds: number): void;
  /** The simulator's time, in ms since 1970. */
  now(): number;
  /** Forgets every object, log entry, fault, script and `advance`, ends recording, and starts again at the first ID. */
  reset(): void;
  /**
   * Closes every server of `listen()`, breaks open requests, then resets. `await using` calls it, too.
   * @example
   * await using simulator = createSimulator();
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a simulator that needs nothing but Node.
 * @throws RangeError for an unknown option, or a value that makes no sense.
 */
export function createSimulatorCore(options: SimulatorOptions = {}): SimulatorCore {
  const resolved = resolveOptions(options);
  const script = new Script(resolved.respond);
  const settings: SimulatorSettings = {
    ...resolved,
    respond: (context, request) => script.answer(context, request),
  };
  const world = new World(settings);
  const unlinking = new Unlinking(settings.unlink, settings.unlinkModels);
  const faults = new FaultRegistry(settings.seed);
  const log = new RequestLog(settings.retain);
  let recorder: Recorder | undefined;
  const handler = new RequestHandler({ world, unlinking, faults, log, recorder: () => recorder });
  const answerBy = (next: Recorder): (() => void) => {
    recorder = next;
    return () => {
      if (recorder === next) recorder = undefined;
    };
  };
  const unanswered = new Set<AbortController>();
  const handle = breakableHandle((request) => handler.handle(request), unanswered);
  const servers = new Set<Listening>();
  const reset = (): void => {
    world.reset();
    unlinking.reset();
    faults.reset();
    script.reset();
    recorder = undefined;
    log.reset();
  };
  const close = async (): Promise<void> => {
    const open = [...servers];
    servers.clear();
    await Promise.all(open.map((server) => server.close()));
    for (const request of unanswered) request.abort(new BrokenConnection());
    reset();
  };
  return {
    handle,
    fetch: abortableFetch(handle),
    async listen(where) {
      const server = await listen(handle, where);
      servers.add(server);
      return server;
    },
    fault: (operation, fault) => faults.add(operation, fault),
    when: (match) => script.when(match),
    record: (how) => answerBy(Recorder.recording(how)),
    replay: (file) => answerBy(Recorder.replaying(file)),
    get log() {
      return log.entries;
    },
    onRequest: (listener) => log.subscribe(listener),
    snapshot: () => snapshotWorld(world),
    restore(snapshot) {
      restoreWorld(world, snapshot);
      unlinking.reset();
    },
    advance: (milliseconds) => world.clock.advance(milliseconds),
    now: () => world.clock.now(),
    reset,
    close,
    [Symbol.asyncDispose]: close,
  };
}
