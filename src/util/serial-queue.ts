/** Runs tasks one after the other, in the order they were given; a task that fails does not stop the next. */
export class SerialQueue {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return !this.#isBusy;
  }

  /** Begins at once when nothing else is under way. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await new Promise<void>((begin) => this.#waiting.push(begin));
    this.#isBusy = true;
    try {
      return await task();
    } finally {
      const begin = this.#waiting.shift();
      if (begin === undefined) this.#isBusy = false;
      // Later, so that the caller of this task sees its outcome first.
      else queueMicrotask(begin);
    }
  }
}
