/** The connection broke before an answer came; `fetch` rejects with a TypeError of the same words. */
export class BrokenConnection extends TypeError {
  constructor() {
    super('fetch failed');
    this.name = 'TypeError';
  }
}
