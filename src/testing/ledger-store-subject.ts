import type { LedgerStore } from '../ledger/store.ts';

/** A store that is open, and how to close it, where it can be closed. */
export interface OpenLedgerStore {
  readonly store: LedgerStore;
  /** Without it, use after close is not checked. */
  readonly close?: (() => Promise<void>) | undefined;
}

/** A new and empty place that stores can be opened on. */
export interface LedgerStorePlace {
  /** Opens a store here; called again it opens another one, as another process would. */
  readonly open: () => OpenLedgerStore | Promise<OpenLedgerStore>;
  /** Removes the place when a check is done with it. */
  readonly remove?: () => Promise<void>;
}

/** The store that is checked. */
export interface LedgerStoreSubject {
  readonly create: () => LedgerStorePlace | Promise<LedgerStorePlace>;
  /** A session ID that was not used before. Default: a random one. */
  readonly newSessionId?: (place: LedgerStorePlace) => string | Promise<string>;
  /** Whether any text can be a session ID. Default true. */
  readonly anySessionId?: boolean;
  /** Whether a store opened later on the same place sees earlier appends. Default true; false for memory. */
  readonly durable?: boolean;
  /** Whether of two stores open on the same place only one can win a version. Default: as `durable` says. */
  readonly exclusive?: boolean;
}
