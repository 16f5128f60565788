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
  /** Restored accounts whose key has not come yet. */
  #unclaimed: Account[] = [];
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
    const account = this.#unclaimed.shift() ?? this.newAccount(`tenant-${(this.#accountCount += 1)}`);
    this.#accounts.set(apiKey, account);
    dropOldest(this.#accounts, this.settings.retain);
    return account;
  }

  /** Every account, in the order of their first requests. */
  accounts(): Account[] {
    return [...this.#accounts.values(), ...this.#unclaimed];
  }

  /** An account that belongs to no key yet. */
  newAccount(name: string): Account {
    return new Account(name, this.settings.retain);
  }

  /**
   * Puts accounts in the place of all present ones. A key that had an account of the same name has it again; the others
   * go to new keys, in order.
   */
  replaceAccounts(accounts: readonly Account[]): void {
    const left = new Map(accounts.map((account) => [account.name, account]));
    for (const [key, { name }] of this.#accounts) {
      const account = left.get(name);
      left.delete(name);
      if (account) this.#accounts.set(key, account);
      else this.#accounts.delete(key);
    }
    this.#unclaimed = [...left.values()];
    this.#accountCount = Math.max(0, ...accounts.map(({ name }) => Number(name.replace('tenant-', ''))));
  }

  /** Forgets everything and starts again at the first ID and the first moment. */
  reset(): void {
    this.#accounts.clear();
    this.#unclaimed = [];
    this.#accountCount = 0;
    this.clock.reset();
    this.ids.reset();
  }
}
