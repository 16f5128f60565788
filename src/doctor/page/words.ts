import type { FindingKind } from '../../history/finding.ts';
import type { DiagnosedResponse, ItemPlace, ItemStanding, Limit, Proof, Verdict } from '../diagnosis.ts';

/** A mark and a word: never a colour alone. */
export interface Badge {
  readonly tone: 'good' | 'bad' | 'warn' | 'quiet';
  readonly mark: string;
  readonly word: string;
}

/** What a verdict is called, and what it means. */
export const VERDICTS: Readonly<Record<Verdict, Badge & { readonly sentence: string }>> = {
  whole: {
    tone: 'good',
    mark: '✓',
    word: 'Whole',
    sentence: 'The list shows everything that is known to belong to this conversation.',
  },
  repairable: {
    tone: 'warn',
    mark: '↺',
    word: 'Damaged, can be repaired',
    sentence: 'The list has lost items or shows them wrongly, and every one of them can be restored.',
  },
  beyond: {
    tone: 'bad',
    mark: '✕',
    word: 'Damaged beyond what is known',
    sentence: 'Something is known to be missing that no source holds any more.',
  },
  unknown: {
    tone: 'quiet',
    mark: '?',
    word: 'Could not tell',
    sentence: 'What was given does not suffice to say whether the list is whole.',
  },
};

/** What was compared with the list. */
export const PROOFS: Readonly<Record<Proof, string>> = {
  ledger: 'the ledger',
  'ledger+responses': 'the ledger and responses',
  responses: 'responses',
  list: 'nothing but the list itself',
};

/** What stands in the list's lane where the item does not. */
export const ABSENCES: Readonly<Record<Exclude<ItemStanding, 'listed' | 'removed'>, string>> = {
  lost: 'lost',
  pending: 'not written yet',
  local: 'never written',
};

const FINDINGS: Readonly<Record<FindingKind, Badge>> = {
  lost: { tone: 'bad', mark: '✕', word: 'Lost' },
  duplicated: { tone: 'warn', mark: '⧉', word: 'More than once in the list' },
  reordered: { tone: 'warn', mark: '⇅', word: 'At another place in the list' },
  foreign: { tone: 'warn', mark: '⇤', word: 'Put there by another writer' },
  altered: { tone: 'warn', mark: '≠', word: 'Altered in the list' },
};

const STANDINGS: Readonly<Record<ItemStanding, Badge | undefined>> = {
  listed: undefined,
  lost: undefined,
  pending: { tone: 'quiet', mark: '…', word: 'Still to be written to the conversation' },
  local: { tone: 'quiet', mark: '⌂', word: 'Lives in the ledger alone' },
  removed: { tone: 'quiet', mark: '−', word: 'Taken out of the history, still in the list' },
};

/** What is to be said of an item. */
export function badgesOf(standing: ItemStanding, findings: readonly FindingKind[], isKept: boolean): Badge[] {
  const said = STANDINGS[standing];
  const badges = [...findings.map((kind) => FINDINGS[kind]), ...(said === undefined ? [] : [said])];
  if (standing === 'lost' && !findings.includes('lost')) badges.unshift(FINDINGS.lost);
  if (standing !== 'lost') return badges;
  return [
    ...badges,
    isKept
      ? { tone: 'good', mark: '↺', word: 'Can be restored' }
      : { tone: 'bad', mark: '∅', word: 'Cannot be restored: no source holds it' },
  ];
}

/** A place that holds an item; the ID of a response follows it. */
export function wordOfPlace({ source }: ItemPlace): string {
  return { ledger: 'the ledger', list: 'the list', response: 'response', chain: 'the input of' }[source];
}

/** What became of a response. */
export const RESPONSES: Readonly<Record<DiagnosedResponse['standing'], string>> = {
  used: 'part of the conversation',
  missing: 'no longer there',
  unfinished: 'not finished',
  failed: 'failed or cancelled',
  elsewhere: 'belongs to another conversation',
  unrelated: 'shares nothing with this conversation',
  superseded: 'answered otherwise: a retry or a branch',
  unrecorded: 'not in the ledger',
};

/** What could not be known. */
export function sentenceOf({ kind, count }: Limit): string {
  const items = count === 1 ? '1 item' : `${count.toLocaleString('en')} items`;
  const responses = count === 1 ? '1 response' : `${count.toLocaleString('en')} responses`;
  return {
    no_evidence:
      'There is nothing to compare the list with: give a ledger, or responses of this conversation.',
    before_first: 'What was lost before the oldest response that could be read is not known.',
    unaccounted: `No response accounts for ${items} of the list, so their neighbours may be lost.`,
    unanswered: `For ${items} no answer is known: something was said, or a tool was called.`,
    response_missing: `${responses} could not be read any more.`,
    unproven: `${items} were taken over from a list of which nothing was known: what it had lost before is not known.`,
    ledger_empty: 'The ledger does not know this conversation.',
    list_gone: 'The conversation itself no longer exists.',
  }[kind];
}
