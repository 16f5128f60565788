import type { PlanReason } from '../../../src/chaining/plan-reason.ts';
import type { Decisions } from './prove-equivalence.ts';

/** Which part of the requests was decided for this reason, from 0 to 1. */
export function shareOf(reason: PlanReason, decisions: Decisions): number {
  const all = [...decisions.values()].reduce((sum, count) => sum + count, 0);
  return (decisions.get(reason) ?? 0) / all;
}
