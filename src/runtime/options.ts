import type OpenAI from 'openai';
import { z } from 'zod';
import { InvalidOptionsError, parseOptions, withMethods } from '../errors/options.ts';
import { contentCache, type ContentCache } from '../conversation/content-cache.ts';
import { isObject } from '../util/json.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { RETRY_MS } from '../ledger/retry.ts';
import { DEFAULT_MODE, isStockMode } from '../rollout/mode.ts';
import { rolloutSchema } from '../rollout/rollout-schema.ts';
import type { Rollout } from '../rollout/rollout.ts';
import { isMemoryLedger, memoryLedger } from '../stores/memory.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import {
  historySchema,
  resolveHistory,
  type HistoryOptions,
  type ResolvedHistory,
} from './history-options.ts';
import { loadedHistories, type LoadedHistories } from './memory-budget.ts';
import { MAX_LEASE_MS } from '../mirror/lease.ts';
import { debugLog } from '../telemetry/debug-log.ts';
import type { SessionObserver } from '../telemetry/observer.ts';
import { sdkTracing } from '../telemetry/sdk-tracing.ts';
import type { EventListener } from '../telemetry/events.ts';

/**
 * Options of `HybridSession`; all have defaults.
 *
 * @example
 * ```ts
 * const session = new HybridSession({
 *   sessionId: 'user-42',
 *   ledger: sqliteLedger({ path: 'sessions.db' }),
 *   onEvent: (event) => console.log(event.type),
 * });
 * ```
 */
export interface HybridSessionOptions {
  /**
   * The session's name, such as `'user-42'`. The ledger is kept under it; every process that gives the same name and the same
   * ledger continues the same history. Required with `mirror: 'off'`.
   *
   * @default the ID of the first conversation
   */
  readonly sessionId?: string | undefined;
  /**
   * A conversation. Alone, it finds the session that owns or owned it. With `sessionId`, the session adopts it.
   *
   * @default the conversation that the ledger names, or a new one
   */
  readonly conversationId?: string | undefined;
  /**
   * The client for the conversation and for reading responses back.
   *
   * @default the SDK's default client
   */
  readonly client?: OpenAI | undefined;
  /**
   * The store that keeps the ledger.
   *
   * @default `memoryLedger()`, one for each session
   */
  readonly ledger?: LedgerStore | undefined;
  /**
   * The mode, a rule, or a function that is asked at every turn.
   *
   * @default 'chain'
   */
  readonly rollout?: Rollout | undefined;
  /**
   * When the conversation is updated: `await`: before a write resolves (at most 10 seconds); `background`: after it; `off`:
   * never.
   *
   * @default 'await'
   */
  readonly mirror?: 'await' | 'background' | 'off' | undefined;
  /**
   * Whether a bookmark at the API lets a process without the ledger rebuild the history from the conversation's ID, with proof.
   *
   * @default true with `memoryLedger()`, which ends with its process; false with any other ledger
   */
  readonly bookmark?: boolean | undefined;
  /**
   * Whether the ledger holds the items' content. Without content it holds IDs and digests.
   *
   * @default true
   */
  readonly keepContent?: boolean | undefined;
  /**
   * Whether a read throws a `HistoryIncompleteError` or emits `incomplete` if no source has an item.
   *
   * @default 'throw'
   */
  readonly onIncomplete?: 'throw' | 'warn' | undefined;
  /** How much of the history a model sees. */
  readonly history?: HistoryOptions | undefined;
  /** Receives the events. An exception that it throws is ignored. */
  readonly onEvent?: EventListener | undefined;
  /**
   * Observers of events and operations, such as `openTelemetry()`.
   *
   * @default none
   */
  readonly observers?: readonly SessionObserver[] | undefined;
  /** Options that few apps need. */
  readonly advanced?: AdvancedOptions | undefined;
}

/** Options of `HybridSession` that few apps need. */
export interface AdvancedOptions {
  /**
   * When the list of a session that the ledger knows is compared: `auto`: in the background after a turn, at most once an
   * hour; `on-read`: before every read; `manual`: by `verify()` only.
   *
   * @default 'auto'
   */
  readonly compare?: 'auto' | 'on-read' | 'manual' | undefined;
  /**
   * The time for which one process may write to the conversation before another takes over, in milliseconds, at most 10
   * minutes. If a process crashes, others wait this long before they write its pending items. Must exceed one request plus
   * clock skew.
   *
   * @default 10_000
   */
  readonly mirrorLease?: number | undefined;
  /**
   * The age up to which a request continues from a response, in milliseconds. The API keeps responses for 30 days.
   *
   * @default 29 days
   */
  readonly responseTtl?: number | undefined;
  /**
   * The time during which a ledger call is retried if the store fails, does not respond, or has lost records, in
   * milliseconds; 0: no retries.
   *
   * @default 5_000
   */
  readonly ledgerRetry?: number | undefined;
  /**
   * A budget for content from the API, or a `contentCache()` that sessions share. Sessions that share a cache share one more
   * budget of the same size for their histories in memory. Sessions without this option share 256 MiB for them.
   *
   * @default { maxBytes: 32 MiB }
   */
  readonly cache?: { readonly maxBytes: number } | ContentCache | undefined;
}

/** Options with all defaults. */
export interface ResolvedOptions {
  readonly client: OpenAI | undefined;
  readonly conversationId: string | undefined;
  readonly ledger: LedgerStore;
  readonly ledgerRetry: number;
  readonly rollout: Rollout;
  readonly mirror: 'await' | 'background' | 'off';
  readonly mirrorLease: number;
  readonly sessionId: string | undefined;
  readonly bookmark: boolean;
  readonly keepContent: boolean;
  readonly compare: 'auto' | 'on-read' | 'manual';
  readonly onIncomplete: 'throw' | 'warn';
  readonly responseTtl: number;
  readonly cache: ContentCache;
  readonly loaded: LoadedHistories;
  readonly observers: readonly SessionObserver[];
  readonly history: ResolvedHistory;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const text = z.string().min(1, { message: 'must not be empty' });

const advancedSchema = z.strictObject({
  compare: z.enum(['auto', 'on-read', 'manual']).optional(),
  mirrorLease: z.number().int().positive().max(MAX_LEASE_MS).optional(),
  responseTtl: z.number().positive().optional(),
  ledgerRetry: z.number().nonnegative().optional(),
  cache: z
    .union(
      [withMethods<ContentCache>('get', 'set'), z.strictObject({ maxBytes: z.number().int().positive() })],
      { error: 'must be a cache or { maxBytes }' },
    )
    .optional(),
});

const schema = z.strictObject({
  client: z.custom<OpenAI>((value) => isClient(value), { message: 'must be an OpenAI client' }).optional(),
  conversationId: text.refine((id) => isUrlSegment(id), { message: 'cannot be part of a URL' }).optional(),
  ledger: withMethods<LedgerStore>('checkpoint', 'read', 'append', 'rewrite', 'delete').optional(),
  rollout: rolloutSchema.optional(),
  mirror: z.enum(['await', 'background', 'off']).optional(),
  sessionId: text.optional(),
  bookmark: z.boolean().optional(),
  advanced: advancedSchema.optional(),
  keepContent: z.boolean().optional(),
  history: historySchema.optional(),
  onIncomplete: z.enum(['throw', 'warn']).optional(),
  onEvent: z
    .custom<EventListener>((value) => typeof value === 'function', { message: 'must be a function' })
    .optional(),
  observers: z
    .array(
      z.custom<SessionObserver>((value) => isObserver(value), { message: 'must have begin() or event()' }),
    )
    .optional(),
});

/**
 * Checks the options and adds the defaults.
 *
 * @throws InvalidOptionsError that names the option, before any request.
 */
export function resolveOptions(options: HybridSessionOptions): ResolvedOptions {
  const { advanced = {}, ...given } = parseOptions(schema, options);
  const mirror = given.mirror ?? 'await';
  if (mirror === 'off') {
    refuse(
      given.conversationId !== undefined,
      'conversationId',
      "cannot go with mirror: 'off', which has no conversation",
    );
    refuse(given.sessionId === undefined, 'sessionId', "is required with mirror: 'off'");
    refuse(
      given.keepContent === false,
      'keepContent',
      "must be true with mirror: 'off': there is no conversation to read content back from",
    );
    refuse(
      isStockMode(given.rollout),
      'rollout',
      "cannot be 'off' or 'shadow' with mirror: 'off': there is no list to serve",
    );
  }
  const history = resolveHistory(given.history, given.keepContent);
  const ledger = given.ledger ?? memoryLedger();
  const cache =
    advanced.cache !== undefined && 'maxBytes' in advanced.cache
      ? contentCache(advanced.cache.maxBytes)
      : advanced.cache;
  return {
    client: given.client,
    conversationId: given.conversationId,
    ledger,
    ledgerRetry: advanced.ledgerRetry ?? RETRY_MS,
    rollout: given.rollout ?? DEFAULT_MODE,
    mirror,
    mirrorLease: advanced.mirrorLease ?? 10_000,
    sessionId: given.sessionId,
    bookmark: given.bookmark ?? (isMemoryLedger(ledger) && !isStockMode(given.rollout)),
    keepContent: given.keepContent ?? true,
    history,
    compare: advanced.compare ?? 'auto',
    onIncomplete: given.onIncomplete ?? 'throw',
    responseTtl: advanced.responseTtl ?? 29 * DAY_MS,
    cache: cache ?? contentCache(),
    loaded: loadedHistories(cache),
    observers: [
      sdkTracing(),
      debugLog,
      ...(given.onEvent === undefined ? [] : [{ event: given.onEvent }]),
      ...(given.observers ?? []),
    ],
  };
}

function refuse(condition: boolean, option: string, problem: string): void {
  if (condition) throw new InvalidOptionsError(option, problem);
}

function isObserver(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { begin, event } = value;
  return (
    [begin, event].some((method) => typeof method === 'function') &&
    [begin, event].every((method) => method === undefined || typeof method === 'function')
  );
}

/** Checks fields instead of the class, because an app may have two copies of the `openai` package. */
function isClient(value: unknown): boolean {
  return isObject(value) && isObject(value['conversations']) && isObject(value['responses']);
}
