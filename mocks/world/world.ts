import { Account } from './account.ts';
import { dropOldest, usedEntry } from './drop-oldest.ts';
import { Clock } from './clock.ts';
import { IdSource } from './id-source.ts';
import type { SimulatorSettings } from '../resolve-options.ts';

/** The one world of a simulator: its time, its IDs and, for each API key, an account that sees no other. */
export class World {
  readonly settings: SimulatorSettings;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly #accounts = new Map<string, Account>();
  #accountCount = 0;

  constructor(settings: SimulatorSettings) {
    this.settings = settings;
    this.clock = new Clock(settings.now);
    this.ids = new IdSource(settings.seed, this.clock);
  }

  /** The account of an API key, made at its first use. Accounts are named by order, never by key. */
  account(apiKey: string): Account {
    const known = usedEntry(this.#accounts, apiKey, this.settings.retain);
    if (known) return known;
    this.#accountCount += 1;
    const account = new Account(`tenant-${this.#accountCount}`, this.settings.retain);
    this.#accounts.set(apiKey, account);
    dropOldest(this.#accounts, this.settings.retain);
    return account;
  }

  /** Every account, in the order of their first requests. */
  accounts(): Account[] {
    return [...this.#accounts.values()];
  }

  /** Forgets everything and starts again at the first ID and the first moment. */
  reset(): void {
    this.#accounts.clear();
    this.#accountCount = 0;
    this.clock.reset();
    this.ids.reset();
  }
}
