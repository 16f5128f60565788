import type { Operation } from './operations.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** One request, in the order of arrival. Fields that only the answer can tell are `undefined` until it is sent. */
export interface LogEntry {
  /** Counts from 0. */
  readonly index: number;
  /** The simulator's time of arrival, in ms since 1970. */
  readonly at: number;
  readonly method: string;
  /** The path after `/v1`, without the query. */
  readonly path: string;
  readonly query: string;
  /** The operation; `undefined` for an unknown route. */
  operation: Operation | undefined;
  /** The account, `tenant-1` for the first API key, ...; the key itself is not kept. */
  tenant: string | undefined;
  /** The body as it was sent, if it was a JSON object; parsed anew each time it is asked for. */
  readonly body: JsonObject | undefined;
  /** The body as text, which takes far less memory than the parsed body. */
  bodyText: string;
  requestBytes: number;
  status: number | undefined;
  /** For a stream, the bytes so far. */
  responseBytes: number;
  /** Whether the last byte was sent, the client went away, or the connection broke. */
  isFinished: boolean;
  /** The code or message of an error answer. */
  error: string | undefined;
  /** The model that was asked. */
  model: string | undefined;
  /** Everything the model saw, oldest first: the server's side of it, not the request's. */
  context: readonly SimulatorItem[] | undefined;
  /** The items that the model answered with. */
  output: readonly SimulatorItem[] | undefined;
  /** The response that was made of it, by the ID that the client is told. */
  responseId: string | undefined;
}

/** Keeps the newest entries and tells listeners of each one that is finished. */
export class RequestLog {
  readonly #retain: number;
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  #entries: LogEntry[] = [];
  #count = 0;

  constructor(retain: number) {
    this.#retain = retain;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries.length > this.#retain ? this.#entries.slice(-this.#retain) : this.#entries;
  }

  /** Begins the entry of a request that has just arrived. */
  begin(at: number, method: string, path: string, query: string): LogEntry {
    const entry: LogEntry = {
      index: this.#count,
      at,
      method,
      path,
      query,
      operation: undefined,
      tenant: undefined,
      get body() {
        return jsonObjectIn(this.bodyText);
      },
      bodyText: '',
      requestBytes: 0,
      status: undefined,
      responseBytes: 0,
      isFinished: false,
      error: undefined,
      model: undefined,
      context: undefined,
      output: undefined,
      responseId: undefined,
    };
    this.#count += 1;
    this.#entries.push(entry);
    if (this.#entries.length > this.#retain * 2) this.#entries = this.#entries.slice(-this.#retain);
    return entry;
  }

  /** Marks an entry as finished; the second time nothing happens. */
  finish(entry: LogEntry): void {
    if (entry.isFinished) return;
    entry.isFinished = true;
    for (const listener of this.#listeners) listener(entry);
  }

  /** Calls the listener at every finished request; returns a function that ends it. */
  subscribe(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets every entry; listeners stay. */
  reset(): void {
    this.#entries = [];
    this.#count = 0;
  }
}

function jsonObjectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
