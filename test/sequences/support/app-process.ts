import OpenAI from 'openai';
import type { LedgerStore } from '../../../src/index.ts';

/** Whatever takes longer than this many turns of the event loop will never come: nothing here waits for anything else. */
const PATIENCE = 400;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Lets the event loop turn so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** When a process is killed: so many calls to the outside from now, before or after that call has had its effect. */
export interface Death {
  readonly after: number;
  readonly moment: 'before' | 'after';
}

/**
 * A process of an app: it reaches the API and the ledger's store, until it is killed.
 *
 * From that moment on nothing leaves it and nothing comes back, although what it had sent may still take effect.
 */
export class AppProcess {
  readonly client: OpenAI;
  readonly ledger: LedgerStore;
  readonly died: Promise<void>;
  readonly #pauses: readonly number[];
  #die: () => void = () => undefined;
  #isAlive = true;
  #calls = 0;
  #death: Death | undefined;

  /** @param pauses turns of the event loop before and after each call to the outside, over and over. */
  constructor(
    fetch: typeof globalThis.fetch,
    pauses: readonly number[],
    storeOf: (client: OpenAI) => LedgerStore,
  ) {
    this.#pauses = pauses;
    this.died = new Promise((resolve) => {
      this.#die = resolve;
    });
    this.client = new OpenAI({
      apiKey: 'test',
      baseURL: 'http://127.0.0.1/v1',
      // What never answers is given up by turns of the event loop, not by this.
      timeout: 20_000,
      maxRetries: 0,
      fetch: (...args) => this.#outside(() => impatient(fetch(...args))),
    });
    const store = storeOf(this.client);
    this.ledger = {
      head: (...args) => this.#outside(() => store.head(...args)),
      read: (...args) => this.#outside(() => store.read(...args)),
      append: (...args) => this.#outside(() => store.append(...args)),
      delete: (...args) => this.#outside(() => store.delete(...args)),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  kill(): void {
    this.#isAlive = false;
    this.#die();
  }

  killAt(death: Death | undefined): void {
    this.#death = death;
  }

  async #outside<T>(call: () => Promise<T>): Promise<T> {
    if (!this.#isAlive) return never();
    await this.#pause();
    const isLast = this.#death !== undefined && this.#death.after <= 0;
    if (this.#death !== undefined) this.#death = { ...this.#death, after: this.#death.after - 1 };
    if (isLast && this.#death?.moment === 'before') this.kill();
    if (!this.#isAlive) return never();
    try {
      const value = await call();
      await this.#pause();
      return isLast || !this.#isAlive ? await this.#end<T>() : value;
    } catch (error) {
      if (isLast || !this.#isAlive) return this.#end();
      throw error;
    }
  }

  #end<T>(): Promise<T> {
    this.kill();
    return never();
  }

  #pause(): Promise<void> {
    const { length } = this.#pauses;
    const count = length === 0 ? 0 : (this.#pauses[this.#calls % length] ?? 0);
    this.#calls += 1;
    return turns(count);
  }
}

async function impatient(answer: Promise<Response>): Promise<Response> {
  let isThere = false;
  const noted = answer.finally(() => {
    isThere = true;
  });
  noted.catch(() => undefined);
  const given = (async (): Promise<never> => {
    for (let turn = 0; turn < PATIENCE; turn += 1) {
      await turns(1);
      if (isThere) return never();
    }
    throw new Error('The request timed out');
  })();
  return Promise.race([noted, given]);
}
