import { asWord } from '../errors/as-word.ts';
import { isObject } from '../ledger/json.ts';
import type { ObservedOperation, OperationName, SessionObserver } from './observer.ts';
import type { HybridSessionEvent } from './session-event.ts';

type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

/** An operation under way, for all who watch it. */
export class Watch {
  readonly #observed: readonly ObservedOperation[];
  readonly #facts: { [name: string]: string | number | boolean } = {};

  constructor(observed: readonly ObservedOperation[]) {
    this.#observed = observed;
  }

  /** Adds to what is told at the end. */
  note(facts: Facts): void {
    if (this.#observed.length === 0) return;
    for (const [name, value] of Object.entries(facts)) {
      if (value === undefined) delete this.#facts[name];
      else this.#facts[name] = value;
    }
  }

  /** Does a part of the work. */
  part<T>(name: OperationName, work: (watch: Watch) => Promise<T>): Promise<T> {
    return watched(new Watch(begun(this.#observed, (one) => one.begin(name))), work);
  }

  end(failure?: string): void {
    for (const one of this.#observed) harmlessly(() => one.end(this.#facts, failure));
  }
}

/** Everybody who watches a session. */
export class Telemetry {
  readonly #observers: readonly SessionObserver[];

  constructor(observers: readonly SessionObserver[]) {
    this.#observers = observers;
  }

  begin(name: OperationName): Watch {
    return new Watch(begun(this.#observers, (one) => one.begin?.(name)));
  }

  /** Does something and lets it be watched. */
  run<T>(name: OperationName, work: (watch: Watch) => Promise<T>): Promise<T> {
    return watched(this.begin(name), work);
  }

  event(event: HybridSessionEvent): void {
    for (const one of this.#observers) harmlessly(() => one.event?.(event));
  }
}

async function watched<T>(watch: Watch, work: (watch: Watch) => Promise<T>): Promise<T> {
  try {
    const result = await work(watch);
    watch.end();
    return result;
  } catch (error) {
    watch.end(failureWord(error));
    throw error;
  }
}

/** An error as one word: messages of other people's errors may quote content. */
function failureWord(error: unknown): string {
  if (!isObject(error)) return 'error';
  const { code, status, name } = error;
  if (typeof status === 'number') return `status ${status}`;
  return asWord(code) ?? asWord(name) ?? 'error';
}

function begun<T>(
  watchers: readonly T[],
  begin: (watcher: T) => ObservedOperation | undefined,
): ObservedOperation[] {
  const observed: ObservedOperation[] = [];
  for (const watcher of watchers) {
    const one = harmlessly(() => begin(watcher));
    if (one !== undefined) observed.push(one);
  }
  return observed;
}

function harmlessly<T>(work: () => T): T | undefined {
  try {
    const result = work();
    // A listener may be asynchronous, and fail later.
    if (result instanceof Promise) result.catch(() => undefined);
    return result;
  } catch {
    // Watching never costs a turn.
    return undefined;
  }
}
