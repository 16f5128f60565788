/** The items and conversations that another client deleted in one sequence. */
export class Conversations {
  readonly #deleted = new Set<string>();
  readonly #damaged = new Set<string>();

  deleted(id: string): void {
    this.#deleted.add(id);
  }

  damaged(id: string): void {
    this.#damaged.add(id);
  }

  isDeleted(id: string | undefined): boolean {
    return id !== undefined && this.#deleted.has(id);
  }

  /** Whether its list lacks an item that another client deleted. */
  isDamaged(id: string | undefined): boolean {
    return id !== undefined && (this.#damaged.has(id) || this.#deleted.has(id));
  }
}
