import type { OpenSession } from './read.ts';

/** The sessions with pending changes that are remembered: the ones whose work ended last. */
const MAX_REMEMBERED = 10_000;

/** A session whose pending work `closeAll()` ends. */
export interface PendingSession {
  readonly sessionId: string | undefined;
  readonly conversationId: string | undefined;
  /** The number of changes that the API lacks; undefined if the state is not in memory. */
  readonly outstanding: number | undefined;
  readonly opened: OpenSession | undefined;
  readonly compactor: { idle(): Promise<void> };
  maintainIfBegun<T>(
    operation: (open: OpenSession) => Promise<T>,
    options?: { readonly writes?: boolean },
  ): Promise<T | undefined>;
}

/** The sessions of this process with pending work. */
interface PendingSessions {
  /** With operations that have not ended. */
  readonly busy: Set<PendingSession>;
  /** With changes that the API lacks, by the state that all objects of a session share: one object for each session. */
  readonly behind: Map<object, PendingSession>;
}

/** A process may have two copies of the package: as ES module and as CommonJS, or one for each bundle. */
const REGISTRY: unique symbol = Symbol.for('agents-hybrid-session.pending');

/** The sessions of this process with pending work; a session without any is not held. */
export function pendingSessions(): PendingSessions {
  const known = Reflect.get(globalThis, REGISTRY) as PendingSessions | undefined;
  if (known !== undefined) return known;
  const sessions: PendingSessions = { busy: new Set(), behind: new Map() };
  Reflect.set(globalThis, REGISTRY, sessions);
  return sessions;
}

/** Knows whether a session has pending work, and registers it as long as it has. */
export class PendingWork {
  readonly #session: PendingSession;
  #operations = 0;
  /** The state that all objects of the session share, as of the last operation. */
  #shared: object | undefined;

  constructor(session: PendingSession) {
    this.#session = session;
  }

  /** Registers the session until the work has ended and no change is pending. @returns the outcome of the work. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#operations += 1;
    pendingSessions().busy.add(this.#session);
    try {
      return await work;
    } finally {
      this.#operations -= 1;
      // After each operation: the next one may release the state.
      this.#note();
      if (this.#operations === 0) pendingSessions().busy.delete(this.#session);
    }
  }

  /** Registers the session although the state in memory does not tell of its pending changes. */
  remember(shared: object): void {
    const { behind } = pendingSessions();
    this.#shared = shared;
    behind.delete(shared);
    behind.set(shared, this.#session);
    const [oldest] = behind.keys();
    if (oldest !== undefined && behind.size > MAX_REMEMBERED) behind.delete(oldest);
  }

  /** Nothing is pending any more, by any object of the session. */
  forget(): void {
    if (this.#shared !== undefined) pendingSessions().behind.delete(this.#shared);
  }

  #note(): void {
    const { opened, outstanding } = this.#session;
    this.#shared = opened?.shared ?? this.#shared;
    if (outstanding === 0) this.forget();
    else if (outstanding !== undefined && this.#shared !== undefined) this.remember(this.#shared);
  }
}
