/** The furthest moment from the epoch that is a date, in milliseconds. */
const FURTHEST = 8.64e15;

/** Whether a number from outside is a moment: milliseconds since the epoch. */
export function isTime(time: unknown): time is number {
  return typeof time === 'number' && Math.abs(time) <= FURTHEST;
}

/** A moment for people; undefined for a number that is none. */
export function utcTime(time: number): string | undefined {
  return isTime(time) ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : undefined;
}
