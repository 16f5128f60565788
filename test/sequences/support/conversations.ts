import type { HybridSessionEvent } from '../../../src/index.ts';

/** What became of the conversations of one sequence: where a session went, and what somebody else has taken away. */
export class Conversations {
  readonly #moves = new Map<string, string>();
  readonly #deleted = new Set<string>();
  readonly #damaged = new Set<string>();

  note(event: HybridSessionEvent): void {
    if (event.type === 'moved') this.#moves.set(event.sessionId, event.conversationId);
  }

  /** Where a session is now, as far as anybody has said so. */
  newest(id: string): string;
  newest(id: string | undefined): string | undefined;
  newest(id: string | undefined): string | undefined {
    const next = id === undefined ? undefined : this.#moves.get(id);
    return next === undefined ? id : this.newest(next);
  }

  deleted(id: string): void {
    this.#deleted.add(id);
  }

  damaged(id: string): void {
    this.#damaged.add(id);
  }

  isDeleted(id: string | undefined): boolean {
    return id !== undefined && this.#deleted.has(id);
  }

  /** Whether its list lacks what nobody but somebody else took out. */
  isDamaged(id: string | undefined): boolean {
    return id !== undefined && (this.#damaged.has(id) || this.#deleted.has(id));
  }
}
