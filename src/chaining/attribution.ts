import { hash } from 'node:crypto';
import * as agents from '@openai/agents';
import type { AgentInputItem, ModelRequest } from '@openai/agents';
import { EMPTY_DIGEST } from '../items/digest.ts';
import { stableJson } from '../util/json.ts';
import type { InterruptedCalls } from '../items/tool-calls.ts';
import type { ChainingPort, CompletedResponse, RunRecorder } from './port.ts';
import { toReplayInput } from '../items/model-input.ts';
import { boundedMap } from '../util/bounded-map.ts';
import { AsyncLocalStorage } from 'node:async_hooks';
import type OpenAI from 'openai';

/** The history that a session served last. */
interface Served {
  name: string;
  readonly ref: WeakRef<ChainingPort>;
}

/**
 * Sessions by the history that they served last: its digest and a hash of its reasoning, which no digest covers.
 *
 * A request of the SDK's own runner does not name its session, but it begins with the history that the session served. If
 * exactly one session served that history, the request belongs to it. Two sessions with equal histories are ambiguous, so
 * neither is chosen.
 */
const served = new Map<string, Set<Served>>();
const current = new WeakMap<ChainingPort, Served>();
const forgotten = new FinalizationRegistry<Served>((last) => remove(last));

/** Records the history, with its digest, that a session served. */
export function recordServedHistory(
  port: ChainingPort,
  digest: string,
  items: readonly AgentInputItem[],
): void {
  let whole = '';
  for (const [position, item] of items.entries()) whole = withUncovered(whole, position, item);
  const name = nameOf(digest, whole);
  let last = current.get(port);
  if (last === undefined) {
    last = { name, ref: new WeakRef(port) };
    current.set(port, last);
    forgotten.register(port, last);
  } else {
    remove(last);
    last.name = name;
  }
  // Every request begins with the empty history, so it identifies no session.
  if (digest !== EMPTY_DIGEST) served.set(name, (served.get(name) ?? new Set()).add(last));
}

/** A request that does not name its session. */
export interface UnattributedRequest {
  readonly items: readonly AgentInputItem[];
  /** The digests of the context with the first 0, 1, 2, ... items. */
  readonly contexts: readonly string[];
  /** The client that sends the request. */
  readonly client: object | undefined;
}

/**
 * Finds the session whose client sends the request and whose history the request begins with; the longest history wins.
 *
 * @param except sessions that the request cannot belong to.
 * @returns undefined if no session matches, several match, or the match is in `except`.
 */
export function sessionForRequest(
  { items, contexts, client }: UnattributedRequest,
  except: readonly ChainingPort[] = [],
): ChainingPort | undefined {
  if (served.size === 0) return undefined;
  let whole = '';
  const names = contexts.map((context, length) => {
    const item = items[length - 1];
    if (item !== undefined) whole = withUncovered(whole, length - 1, item);
    return nameOf(context, whole);
  });
  for (const name of names.toReversed()) {
    const ports = [...(served.get(name) ?? [])].flatMap(({ ref }) => ref.deref() ?? []);
    const [only, ...others] = ports.filter((port) => isClientOf(port, client));
    // A tool may pass on the history of its outer run: the request then still belongs to no session.
    if (only !== undefined) return others.length === 0 && !except.includes(only) ? only : undefined;
  }
  return undefined;
}

/** A session without a client uses the SDK's default client. */
function isClientOf({ client }: ChainingPort, sender: object | undefined): boolean {
  const exported: unknown = Reflect.get(agents, 'getDefaultOpenAIClient');
  const own: unknown = client ?? (typeof exported === 'function' ? exported() : undefined);
  return own === undefined || own === sender;
}

/** Reasoning has no digest, so its content is hashed. */
function withUncovered(whole: string, position: number, item: AgentInputItem): string {
  if (item.type !== 'reasoning') return whole;
  return hash('sha256', `${whole}.${position}.${stableJson(toReplayInput(item))}`, 'base64url');
}

function nameOf(digest: string, uncovered: string): string {
  return `${digest}.${uncovered}`;
}

function remove(last: Served): void {
  const sessions = served.get(last.name);
  sessions?.delete(last);
  if (sessions?.size === 0) served.delete(last.name);
}

/** Responses without a known session; a session claims them by ID later. */
const unclaimed = boundedMap<CompletedResponse>(1000);

/** Keeps a response until a session claims it. */
export function keepUnattributedResponse(response: CompletedResponse): void {
  unclaimed.set(response.id, response);
}

/** Removes and returns the response with this ID. */
export function takeUnattributedResponse(id: string): CompletedResponse | undefined {
  const response = unclaimed.get(id);
  unclaimed.delete(id);
  return response;
}

/** The run that a request belongs to. */
export interface BoundRun {
  /** The port of the run's session; undefined unless it is a `HybridSession`. */
  readonly port: ChainingPort | undefined;
  /** The client of the run's session; agents as tools share it. */
  readonly client: OpenAI | undefined;
  /** The name of the agent whose turn it is, as soon as it is known. */
  agent?: string | undefined;
  /** The model name of the run's first agent, if it has one. */
  readonly model: string | undefined;
  /** Whether all agents of the run use the model boundary. */
  readonly isBoundaryInUse: boolean | undefined;
  /** Set inside a tool: the ports of the outer runs. */
  readonly around: readonly ChainingPort[] | undefined;
  /** Records the run's requests as it goes. */
  readonly recorder: RunRecorder | undefined;
  /** Set inside a tool: records its result. */
  readonly outerRecorder: RunRecorder | undefined;
  /** The answer to tool calls that an earlier run has left open. */
  readonly interruptedCalls: InterruptedCalls | undefined;
  /** Whether the session was told that the SDK's runner saves nothing of the run. */
  isToldUnsaved?: boolean | undefined;
}

const storage = new AsyncLocalStorage<BoundRun>();

const UNBOUND: BoundRun = {
  port: undefined,
  client: undefined,
  model: undefined,
  isBoundaryInUse: undefined,
  around: undefined,
  recorder: undefined,
  outerRecorder: undefined,
  interruptedCalls: undefined,
};

/** Runs a function and attributes its model requests to one session, or to none. */
export function withPort<T>(
  port: ChainingPort | undefined,
  run: () => T,
  facts: Partial<Pick<BoundRun, 'model' | 'isBoundaryInUse' | 'recorder' | 'interruptedCalls'>> = {},
): T {
  return storage.run({ ...UNBOUND, ...facts, port, client: port?.client }, run);
}

/** The run of the current request; undefined outside a bound run. */
export function currentRun(): BoundRun | undefined {
  return storage.getStore();
}

/** Names the agent of the current run's next requests. */
export function enterAgent(name: string): void {
  const run = storage.getStore();
  if (run !== undefined) run.agent = name;
}

/** Tells the session of the current run, once, that the SDK's runner saves no run that continues on a server by the caller's choice. */
export function warnOfUnsavedTurn({ previousResponseId, conversationId }: ModelRequest): void {
  const run = storage.getStore();
  if (run?.port === undefined || run.isToldUnsaved === true) return;
  if ((previousResponseId ?? conversationId) === undefined) return;
  run.isToldUnsaved = true;
  run.port.warn({ code: 'turn_unsaved' });
}

/** Separates the model requests of a tool from its run. Must be called in the tool's own asynchronous context. */
export function enterTool(): void {
  const run = storage.getStore();
  if (run === undefined) return;
  const around = [...(run.around ?? []), ...(run.port === undefined ? [] : [run.port])];
  storage.enterWith({ ...UNBOUND, client: run.client, around, outerRecorder: run.recorder });
}
