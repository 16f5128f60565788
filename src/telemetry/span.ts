import { safeToken } from '../errors/base.ts';
import { isObject } from '../util/json.ts';
import type { ObservedOperation, OperationName, SessionObserver } from './observer.ts';
import type { HybridSessionEvent, WarningEvent } from './events.ts';

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An operation in progress, reported to all observers. */
export class Span {
  readonly #observed: readonly ObservedOperation[];
  readonly #attributes: { [name: string]: string | number | boolean } = {};

  constructor(observed: readonly ObservedOperation[]) {
    this.#observed = observed;
  }

  /** Sets attributes, which the end of the span reports; `undefined` removes one. */
  setAttributes(attributes: Attributes): void {
    if (this.#observed.length === 0) return;
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) delete this.#attributes[name];
      else this.#attributes[name] = value;
    }
  }

  /** Runs a part of the operation in a child span. */
  child<T>(name: OperationName, work: (span: Span) => Promise<T>): Promise<T> {
    return runIn(new Span(begun(this.#observed, (parent) => parent.begin(name))), work);
  }

  end(failure?: string): void {
    for (const operation of this.#observed) withoutErrors(() => operation.end(this.#attributes, failure));
  }
}

/** Reports a warning of a session. */
export type Warn = (warning: Omit<WarningEvent, 'type' | 'sessionId'>) => void;

/** The observers of a session. */
export class Telemetry {
  readonly #observers: readonly SessionObserver[];

  constructor(observers: readonly SessionObserver[]) {
    this.#observers = observers;
  }

  begin(name: OperationName): Span {
    return new Span(begun(this.#observers, (observer) => observer.begin?.(name)));
  }

  /** Runs an operation in a span. */
  run<T>(name: OperationName, work: (span: Span) => Promise<T>): Promise<T> {
    return runIn(this.begin(name), work);
  }

  /** Reports the warnings of one session. */
  warningsOf(sessionId: string): Warn {
    return (warning) => this.event({ type: 'warning', sessionId, ...warning });
  }

  event(event: HybridSessionEvent): void {
    for (const observer of this.#observers) withoutErrors(() => observer.event?.(event));
  }
}

async function runIn<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end(failureWord(error));
    throw error;
  }
}

/** An error as one word: a message of foreign code may quote content. */
function failureWord(error: unknown): string {
  if (!isObject(error)) return 'error';
  const { code, status, name } = error;
  if (typeof status === 'number') return `status ${status}`;
  return safeToken(code) ?? safeToken(name) ?? 'error';
}

function begun<T>(
  observers: readonly T[],
  begin: (observer: T) => ObservedOperation | undefined,
): ObservedOperation[] {
  const observed: ObservedOperation[] = [];
  for (const observer of observers) {
    const operation = withoutErrors(() => begin(observer));
    if (operation !== undefined) observed.push(operation);
  }
  return observed;
}

/** Observing never costs a turn. */
function withoutErrors<T>(work: () => T): T | undefined {
  try {
    const result = work();
    // A listener may be asynchronous and fail later.
    if (result instanceof Promise) result.catch(() => undefined);
    return result;
  } catch {
    return undefined;
  }
}
