/**
 * How far a session is switched on.
 *
 * `off` serves the list as the stock session does and only records; `shadow` also compares and reports; `rebuild` serves
 * verified history; `chain` also lets the model continue from the previous response where the model boundary is in use.
 */
export type Mode = (typeof MODES)[number];

export const MODES = ['off', 'shadow', 'rebuild', 'chain'] as const;

/** The mode where nothing else is said. */
export const DEFAULT_MODE: Mode = 'chain';

/** Whether a value is the name of a mode. */
export function isMode(value: unknown): value is Mode {
  return MODES.some((mode) => mode === value);
}
