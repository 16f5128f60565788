import type OpenAI from 'openai';
import { z } from 'zod';
import { invalidOption } from '../errors/invalid-option.ts';
import { InvalidOptionsError } from '../errors/invalid-options-error.ts';
import { contentCache, type ContentCache } from '../history/content-cache.ts';
import { isObject } from '../ledger/json.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { DEFAULT_MODE } from '../rollout/mode.ts';
import { rolloutSchema } from '../rollout/rollout-schema.ts';
import type { Rollout } from '../rollout/rollout.ts';
import { memoryLedger } from '../stores/memory-ledger.ts';
import { loadedHistories, type LoadedHistories } from './loaded-histories.ts';
import { LONGEST_LEASE } from './mirror-lease.ts';
import { debugLog } from '../telemetry/debug-log.ts';
import type { SessionObserver } from '../telemetry/observer.ts';
import { sdkTracing } from '../telemetry/sdk-tracing.ts';
import type { EventListener } from '../telemetry/session-event.ts';

/** Options of `HybridSession`; all have defaults. */
export interface HybridSessionOptions {
  /** The client for the conversation and for reading responses back. Default: the SDK's default client. */
  readonly client?: OpenAI | undefined;
  /** An existing conversation to attach to. Default: a new one, created at first use. */
  readonly conversationId?: string | undefined;
  /** Where the ledger lives. Default: `memoryLedger()`, one for each session. */
  readonly ledger?: LedgerStore | undefined;
  /** The mode, a rule, or a function asked at every turn. Default `'chain'`. */
  readonly rollout?: Rollout | undefined;
  /**
   * How the conversation is kept up to date: before a write resolves, behind it, or not at all: then there is no
   * conversation and `sessionId` names the session. Default `'await'`.
   */
  readonly mirror?: 'await' | 'background' | 'off' | undefined;
  /**
   * How long one process may write to the conversation before another takes over, in milliseconds. What a process that
   * died had pending waits that long. Must outlast a request and the difference of the clocks. At most 10 minutes. Default
   * 10 seconds.
   */
  readonly mirrorLease?: number | undefined;
  /** The session's name; only with `mirror: 'off'`. */
  readonly sessionId?: string | undefined;
  /** Whether the ledger holds the items' content; without, it holds IDs and digests. Default true. */
  readonly keepContent?: boolean | undefined;
  /** When the list is read: once on attaching, at every read, or only by `verify()`. Default `'open'`. */
  readonly checkList?: 'open' | 'every-read' | 'never' | undefined;
  /** What to do when items cannot be found anywhere. Default `'throw'`, a `HistoryIncompleteError`. */
  readonly onIncomplete?: 'throw' | 'warn' | undefined;
  /** How long a response can be continued from, in milliseconds. Default 29 days: the API keeps responses for 30. */
  readonly responseTtl?: number | undefined;
  /**
   * A budget for content read back from the API, default 32 MiB, or a `contentCache()` that sessions share. The histories
   * they have in memory share the same budget; those without a cache of their own share 256 MiB.
   */
  readonly cache?: { readonly maxBytes: number } | ContentCache | undefined;
  /** Receives what the session notices. What it throws is ignored. */
  readonly onEvent?: EventListener | undefined;
  /** Watch what the session does and notices, such as `openTelemetry()`. Default none. */
  readonly observers?: readonly SessionObserver[] | undefined;
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly client: OpenAI | undefined;
  readonly conversationId: string | undefined;
  readonly ledger: LedgerStore;
  readonly rollout: Rollout;
  readonly mirror: 'await' | 'background' | 'off';
  readonly mirrorLease: number;
  readonly sessionId: string | undefined;
  readonly keepContent: boolean;
  readonly checkList: 'open' | 'every-read' | 'never';
  readonly onIncomplete: 'throw' | 'warn';
  readonly responseTtl: number;
  readonly cache: ContentCache;
  readonly loaded: LoadedHistories;
  readonly observers: readonly SessionObserver[];
}

const DAY = 24 * 60 * 60 * 1000;

const withMethods = <T>(...methods: string[]): z.ZodType<T, T> =>
  z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof Reflect.get(value, method) === 'function'),
    { message: `must be an object with ${methods.join(', ')}` },
  );

const text = z.string().min(1, { message: 'must not be empty' });

const schema = z.strictObject({
  client: z.custom<OpenAI>((value) => isClient(value), { message: 'must be an OpenAI client' }).optional(),
  conversationId: text
    .refine((id) => id !== '.' && id !== '..' && !/\p{Surrogate}/u.test(id), {
      message: 'cannot be part of a URL',
    })
    .optional(),
  ledger: withMethods<LedgerStore>('head', 'read', 'append', 'delete').optional(),
  rollout: rolloutSchema.optional(),
  mirror: z.enum(['await', 'background', 'off']).optional(),
  mirrorLease: z.number().int().positive().max(LONGEST_LEASE).optional(),
  sessionId: text.optional(),
  keepContent: z.boolean().optional(),
  checkList: z.enum(['open', 'every-read', 'never']).optional(),
  onIncomplete: z.enum(['throw', 'warn']).optional(),
  responseTtl: z.number().positive().optional(),
  cache: z
    .union(
      [withMethods<ContentCache>('get', 'set'), z.strictObject({ maxBytes: z.number().int().positive() })],
      { error: 'must be a cache or { maxBytes }' },
    )
    .optional(),
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
 * Checks the options and fills in the defaults.
 *
 * @throws InvalidOptionsError naming the option, before any request.
 */
export function resolveOptions(options: HybridSessionOptions): ResolvedOptions {
  const parsed = read(options);
  if (!parsed.success) throw invalidOption(parsed.error);
  const given = parsed.data;
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
      given.rollout === 'off' || given.rollout === 'shadow',
      'rollout',
      "cannot be 'off' or 'shadow' with mirror: 'off': there is no list to serve",
    );
  } else {
    refuse(
      given.sessionId !== undefined,
      'sessionId',
      "needs mirror: 'off'; otherwise the conversation's ID names the session",
    );
  }
  const cache =
    given.cache !== undefined && 'maxBytes' in given.cache ? contentCache(given.cache.maxBytes) : given.cache;
  return {
    client: given.client,
    conversationId: given.conversationId,
    ledger: given.ledger ?? memoryLedger(),
    rollout: given.rollout ?? DEFAULT_MODE,
    mirror,
    mirrorLease: given.mirrorLease ?? 10_000,
    sessionId: given.sessionId,
    keepContent: given.keepContent ?? true,
    checkList: given.checkList ?? 'open',
    onIncomplete: given.onIncomplete ?? 'throw',
    responseTtl: given.responseTtl ?? 29 * DAY,
    cache: cache ?? contentCache(),
    loaded: loadedHistories(cache),
    observers: [
      sdkTracing(),
      debugLog,
      ...(given.onEvent === undefined ? [] : [listener(given.onEvent)]),
      ...(given.observers ?? []),
    ],
  };
}

/** What is given may be anything, and throw when it is looked at; what it says then is not passed on. */
function read(options: unknown): ReturnType<typeof schema.safeParse> {
  try {
    return schema.safeParse(options);
  } catch {
    throw new InvalidOptionsError('options', 'cannot be read: looking at one of them throws');
  }
}

function refuse(condition: boolean, option: string, problem: string): void {
  if (condition) throw new InvalidOptionsError(option, problem);
}

/** A listener hears what is worth a line: of turns those in `shadow`, which reports each. */
function listener(onEvent: EventListener): SessionObserver {
  return {
    event: (event) => (event.type !== 'turn' || event.mode === 'shadow' ? onEvent(event) : undefined),
  };
}

function isObserver(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { begin, event } = value;
  return (
    [begin, event].some((one) => typeof one === 'function') &&
    [begin, event].every((one) => one === undefined || typeof one === 'function')
  );
}

/** By its methods: an app may hold two copies of the client's class. */
function isClient(value: unknown): boolean {
  return isObject(value) && isObject(value['conversations']) && isObject(value['responses']);
}
