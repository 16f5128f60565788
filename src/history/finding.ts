/** What kind of difference between the ledger and the conversation's list. */
export type FindingKind = 'lost' | 'duplicated' | 'reordered' | 'foreign' | 'altered';

/**
 * One difference between ledger and list.
 *
 * `lost`: in the ledger and no longer in the list. `duplicated`: more than once in the list. `reordered`: in the list
 * at another place. `foreign`: in the list and not in the ledger, so another writer put it there. `altered`: in the
 * list with other content.
 */
export interface Finding {
  readonly type: FindingKind;
  /** The item's ID in the conversation. */
  readonly id: string;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  /** Position in the history, counted from 0; for a foreign item the place where it was put. */
  readonly index: number;
}
