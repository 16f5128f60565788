/**
 * How far a session is switched on.
 *
 * `off` serves the list as the stock session does and only records; `shadow` also compares and reports; `rebuild` serves
 * verified history; `chain` also lets the model continue from the previous response where the model boundary is in use.
 */
export type Mode = 'off' | 'shadow' | 'rebuild' | 'chain';

/** The rules of a mode. */
export interface ModeRules {
  /** Reads return the conversation's list, as the stock session does, or the history of the ledger. */
  readonly serves: 'list' | 'history';
  /** Every turn is compared with the turn that mode `chain` would have made of it. */
  readonly compares: boolean;
  /** Losses and turns are reported. */
  readonly reports: boolean;
  /** The model may continue from an earlier response. */
  readonly chains: boolean;
}

const RULES: Readonly<Record<Mode, ModeRules>> = {
  off: { serves: 'list', compares: false, reports: false, chains: false },
  shadow: { serves: 'list', compares: true, reports: true, chains: false },
  rebuild: { serves: 'history', compares: false, reports: true, chains: false },
  chain: { serves: 'history', compares: false, reports: true, chains: true },
};

export const MODES = ['off', 'shadow', 'rebuild', 'chain'] as const satisfies readonly Mode[];

/** The default of the option `rollout`. */
export const DEFAULT_MODE: Mode = 'chain';

/** Whether a value is the name of a mode. */
export function isMode(value: unknown): value is Mode {
  return typeof value === 'string' && Object.hasOwn(RULES, value);
}

export function rulesOf(mode: Mode): ModeRules {
  return RULES[mode];
}

/** Whether a rollout is one mode that serves the list: then the session makes the stock session's requests and no others. */
export function isStockMode(rollout: unknown): boolean {
  return isMode(rollout) && RULES[rollout].serves === 'list';
}
