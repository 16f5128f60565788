import type { Healed, HealPlan, MissingItem } from '../index.ts';

/** What `heal --json` prints. */
export interface HealReport {
  /** Changes when a field changes its meaning or goes away. */
  readonly version: 1;
  readonly dryRun: boolean;
  readonly from: string;
  /** Whether the history is in the new conversation, or, in a dry run, can be written there. */
  readonly healed: boolean;
  /** The new conversation; null when there is none yet. */
  readonly conversationId: string | null;
  readonly items: number;
  readonly linked: number;
  readonly written: number;
  readonly skipped: number;
  readonly verified: boolean;
  /** Items that are nowhere: nothing is written then. */
  readonly missing: readonly MissingItem[];
  /** In a dry run: what would become of each item. */
  readonly steps?: HealPlan['steps'];
}

/** The report of what was or would be done. */
export function reportOf(done: Healed | HealPlan): HealReport {
  const { conversationId, ...rest } = done;
  return { version: 1, ...rest, healed: true, conversationId: conversationId ?? null, missing: [] };
}

/** The report of a history that is not all there. */
export function reportOfMissing(from: string, dryRun: boolean, missing: readonly MissingItem[]): HealReport {
  const nothing = { items: 0, linked: 0, written: 0, skipped: 0, verified: false };
  return { version: 1, dryRun, from, healed: false, conversationId: null, ...nothing, missing };
}

/** What would become of each item, one a line. */
export function describeSteps({ steps }: HealPlan): string {
  const words = { linked: 'link', written: 'write', skipped: 'keep in the ledger' } as const;
  return steps
    .map(
      ({ how, index, kind, id }) => `${words[how]}  #${index} ${kind}${id === undefined ? '' : ` ${id}`}\n`,
    )
    .join('');
}

/** The same in one sentence. */
export function summarizeHeal({ items, linked, written, skipped }: HealReport): string {
  const left = skipped === 0 ? '' : `, ${skipped} in the ledger alone`;
  return `${items} item(s): ${linked} linked by ID, ${written} written by content${left}`;
}
