/** Why the list has to be read: it may hold what the ledger knows nothing of, or it was not looked at since attaching. */
export type ListReason = 'unknown' | 'attached';

/** Remembers when the list was compared with the ledger, and tells when that is due. */
export class ListDue {
  readonly #existed: boolean;
  readonly #atOpen: boolean;
  #checked = false;
  #tried = false;
  #version = 0;
  #wasKnown = false;

  /**
   * @param existed whether the conversation was there before this session.
   * @param atOpen whether to look even if the ledger knows the session.
   */
  constructor(existed: boolean, atOpen: boolean) {
    this.#existed = existed;
    this.#atOpen = atOpen;
  }

  /** The list was compared with the ledger. */
  checked(): void {
    this.#checked = true;
  }

  /** The list could not be read, or was not to be: the next read tries again, but not every write before it. */
  tried(): void {
    this.#tried = true;
  }

  /** Whether there may be more in the conversation than a ledger of this version knows. */
  isUnknown(version: number): boolean {
    // A ledger that was deleted begins anew, and so does what is known of the list.
    if (version === 0 && this.#version > 0) this.#checked = false;
    this.#version = version;
    this.#wasKnown ||= version > 0;
    return version === 0 && (this.#existed || this.#wasKnown);
  }

  /** Why the list is to be read now; undefined when it is not. */
  reason(version: number, isRead: boolean): ListReason | undefined {
    const isUnknown = this.isUnknown(version);
    if (this.#checked) return undefined;
    if (isUnknown) return 'unknown';
    if (this.#tried && !isRead) return undefined;
    return this.#existed && this.#atOpen ? 'attached' : undefined;
  }
}
