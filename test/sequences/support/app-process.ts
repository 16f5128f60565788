import OpenAI from 'openai';
import type { LedgerStore } from '../../../src/index.ts';
import { impatient } from '../../support/impatient.ts';
import { turns } from '../../support/virtual-time.ts';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** When a process is killed: so many calls to the outside from now, before or after that call has had its effect. */
export interface Death {
  readonly after: number;
  readonly moment: 'before' | 'after';
}

/**
 * A process of an app: it reaches the API and the ledger's store, until it is killed.
 * From that moment on it sends no request and gets no answer, although a sent request may still take effect.
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
      // A request without an answer is given up by turns of the event loop, not by this.
      timeout: 600_000,
      maxRetries: 0,
      fetch: (...args) => this.#outside(() => impatient(fetch(...args))),
    });
    const store = storeOf(this.client);
    this.ledger = {
      checkpoint: (...args) => this.#outside(() => store.checkpoint(...args)),
      read: (...args) => this.#outside(() => store.read(...args)),
      append: (...args) => this.#outside(() => store.append(...args)),
      rewrite: (...args) => this.#outside(() => store.rewrite(...args)),
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
