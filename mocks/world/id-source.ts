import type { Clock } from './clock.ts';
import { Random } from './random.ts';

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Gives out IDs laid out as the API's: responses and their items carry the key of their thread in front, then a byte
 * that says whether they are stored, then the time; conversations and items written to them carry the key at the end.
 */
export class IdSource {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(seed: number, clock: Clock) {
    this.#random = new Random(seed);
    this.#clock = clock;
  }

  /** A key shared by the objects of one conversation or chain. */
  thread(): string {
    return this.#random.hex(16);
  }

  /** An ID for a response or an item that came with one. */
  inThread(prefix: string, thread: string, stored: boolean): string {
    return `${prefix}_${thread}${stored ? '00' : '01'}${this.#time()}${this.#random.hex(24)}`;
  }

  /** An ID for a conversation or an item written straight into one. */
  beforeThread(prefix: string, thread: string): string {
    return `${prefix}_${this.#time()}${this.#random.hex(24)}${thread}`;
  }

  /** An ID for a tool call: `call_` and 24 letters and digits. */
  call(): string {
    let id = 'call_';
    for (let index = 0; index < 24; index += 1) {
      id += ALPHANUMERIC.charAt(this.#random.bits() % ALPHANUMERIC.length);
    }
    return id;
  }

  /** An ID for a request, sent back as `x-request-id`. */
  request(): string {
    return `req_${this.#random.hex(32)}`;
  }

  /** Starts again with the first ID, or with IDs that depend on this number. */
  reset(number = 0): void {
    this.#random.reset(number);
  }

  #time(): string {
    return this.#clock.seconds().toString(16).padStart(8, '0').slice(-8);
  }
}

/** When an item of a response was made, in ms since 1970, to the second; 0 for an ID the simulator did not give out. */
export function madeAt(id: string): number {
  const digits = id.slice(id.indexOf('_') + 1);
  return digits.length === 50 ? Number.parseInt(digits.slice(18, 26), 16) * 1000 : 0;
}

/** The key of the thread that an ID belongs to; `undefined` for an ID the simulator did not give out. */
export function threadOf(id: string): string | undefined {
  const digits = id.slice(id.indexOf('_') + 1);
  if (digits.length === 50) return digits.slice(0, 16);
  return digits.length === 48 ? digits.slice(-16) : undefined;
}
