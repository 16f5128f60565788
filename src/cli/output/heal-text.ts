import { escapeJson, escapeTexts } from '../../util/escape-controls.ts';
import type { Healed, HealPlan, MissingItem } from '../../index.ts';

/** The output of `heal --json`. */
export interface HealReport {
  /** Changes when a field changes its meaning or goes away. */
  readonly version: 1;
  readonly dryRun: boolean;
  readonly from: string;
  /** Whether the new conversation shows the history; false in a dry run, unless an earlier heal did it. */
  readonly healed: boolean;
  /** The new conversation; null when there is none yet. */
  readonly conversationId: string | null;
  readonly items: number;
  readonly linked: number;
  readonly written: number;
  readonly skipped: number;
  /** Reasoning without an output after it: it stays in the ledger. */
  readonly dangling: number;
  /** Whether the new list has the ledger's digest. */
  readonly verified: boolean;
  /** Items without a source: then nothing is written. */
  readonly missing: readonly MissingItem[];
  /** In a dry run: the plan for each item. */
  readonly steps?: HealPlan['steps'];
}

/** A report as JSON. */
export function healJson(report: HealReport): string {
  return `${escapeJson(JSON.stringify(report, undefined, 2))}\n`;
}

/** The report of a heal or of its plan. */
export function reportOf(done: Healed | HealPlan): HealReport {
  const { conversationId, ...rest } = done;
  const healed = !done.dryRun || isDone(done);
  const verified = done.verified && healed;
  return { version: 1, ...rest, healed, verified, conversationId: conversationId ?? null, missing: [] };
}

/** Whether an earlier heal already did it. */
export function isDone({ steps, items, conversationId }: HealPlan): boolean {
  return conversationId !== undefined && steps.length === 0 && items > 0;
}

/** The report of an incomplete history. */
export function reportOfMissing(from: string, dryRun: boolean, missing: readonly MissingItem[]): HealReport {
  const nothing = { items: 0, linked: 0, written: 0, skipped: 0, dangling: 0, verified: false };
  return { version: 1, dryRun, from, healed: false, conversationId: null, ...nothing, missing };
}

/** The plan for each item, one a line. */
export function describeSteps({ steps }: HealPlan): string {
  const words = {
    linked: 'link',
    written: 'write',
    skipped: 'keep in the ledger',
    dangling: 'keep in the ledger (nothing follows it)',
  } as const;
  return escapeTexts(steps)
    .map(
      ({ how, index, kind, id }) => `${words[how]}  #${index} ${kind}${id === undefined ? '' : ` ${id}`}\n`,
    )
    .join('');
}

/** The counts in one sentence. */
export function summarizeHeal({ items, linked, written, skipped, dangling }: HealReport): string {
  const alone = skipped === 0 ? '' : `, ${skipped} in the ledger alone`;
  const left =
    dangling === 0
      ? alone
      : `${alone}, ${dangling} reasoning item(s) that nothing follows in the ledger alone`;
  return `${items} item(s): ${linked} linked by ID, ${written} written by content${left}`;
}
