import type { LedgerState } from '../ledger/ledger-state.ts';
import type { Healed } from './healed.ts';

/** How the items of a healed history came into their conversation. Pure. */
export function countHealed(
  from: string,
  { entries }: LedgerState,
): Pick<Healed, 'from' | 'items' | 'linked' | 'written' | 'skipped'> {
  const skipped = entries.filter((entry) => entry.skipped !== undefined).length;
  const linked = entries.filter(({ link, mirrorId }) => link !== undefined && link === mirrorId).length;
  return { from, items: entries.length, linked, written: entries.length - linked - skipped, skipped };
}
