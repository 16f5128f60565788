import type { Diagnosis } from '../index.ts';

/**
 * What `doctor --json` prints. `version` changes when a field changes its meaning or goes away.
 *
 * `item` is there with `--content` only.
 */
export interface DoctorReport extends Diagnosis {
  readonly version: 1;
}

/** A diagnosis as JSON. */
export function asJson(diagnosis: Diagnosis): string {
  const report: DoctorReport = { version: 1, ...diagnosis };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
