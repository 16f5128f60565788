/** The work that is done, and how long it took. */
export interface Advance {
  readonly done: number;
  /** Undefined while it is not known. */
  readonly total: number | undefined;
  /** Milliseconds since the work began. */
  readonly elapsed: number;
}

const WIDTH = 20;

/** One line: a bar, the rate, and the time left. */
export function progressBar(verb: string, { done, total, elapsed }: Advance): string {
  const rate = elapsed <= 0 ? 0 : (done * 1000) / elapsed;
  const speed = rate === 0 ? '' : `, ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
  if (total === undefined) return `${verb} ${number(done)}${speed}`;
  const filled = total === 0 ? WIDTH : Math.min(WIDTH, Math.floor((done / total) * WIDTH));
  const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled);
  const left = rate === 0 ? '' : `, ${duration(Math.max(0, total - done) / rate)} left`;
  return `${verb} [${bar}] ${number(done)} of ${number(total)}${speed}${left}`;
}

/** Seconds for people: `40 s`, `3 min`, `2 h 5 min`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
