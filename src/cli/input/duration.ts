import { UsageError } from '../command.ts';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Milliseconds of a duration such as `30d`, `12h`, `90m` or `45s`; undefined when none was given.
 *
 * @throws UsageError naming the option and its form.
 */
export function durationOf(command: string, option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  const milliseconds = Number(count) * (UNITS[unit] ?? 0);
  if (milliseconds > 0) return milliseconds;
  throw new UsageError(
    `--${option} must be a duration such as 30d, 12h or 90m, not '${value}'`,
    `agents-hybrid-session ${command} --${option} 30d`,
  );
}
