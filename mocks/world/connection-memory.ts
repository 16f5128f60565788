import type { ResponseRecord } from './records.ts';
import type { SimulatorItem } from '../wire/item.ts';

/** A response that is not stored, and everything that the next one sees of it. */
export interface RememberedResponse {
  readonly record: ResponseRecord;
  /** Its context and its output, oldest first. */
  readonly items: readonly SimulatorItem[];
}

/** The newest response of one WebSocket: it can be continued there, although it is not stored. */
export class ConnectionMemory {
  #newest: RememberedResponse | undefined;

  /** Keeps a response in the place of the one before. */
  keep(response: RememberedResponse): void {
    this.#newest = response;
  }

  /** The response of this ID, if it is the newest one. */
  find(id: string): RememberedResponse | undefined {
    return this.#newest?.record.id === id ? this.#newest : undefined;
  }

  /** Forgets a response: a request that named it was refused. */
  forget(id: unknown): void {
    if (this.#newest?.record.id === id) this.#newest = undefined;
  }
}

const memories = new WeakMap<Request, ConnectionMemory>();

/** Notes the connection that a request came over. */
export function cameOver(request: Request, memory: ConnectionMemory): Request {
  memories.set(request, memory);
  return request;
}

/** The memory of the connection that a request came over; `undefined` for a request of HTTP. */
export function memoryOf(request: Request): ConnectionMemory | undefined {
  return memories.get(request);
}
