import type { FindingKind } from '../../history/compare-list.ts';
import type {
  DiagnosedResponse,
  ContentSource,
  TimelineItemStatus,
  Caveat,
  Evidence,
  Verdict,
} from '../diagnosis.ts';

/** A mark and a word: never a colour alone. */
export interface Badge {
  readonly tone: 'good' | 'bad' | 'warn' | 'quiet';
  readonly mark: string;
  readonly word: string;
}

/** The words of a verdict. */
export const VERDICTS: Readonly<Record<Verdict, Badge & { readonly sentence: string }>> = {
  whole: {
    tone: 'good',
    mark: '✓',
    word: 'Whole',
    sentence: 'The list shows every item that is known to belong to this conversation.',
  },
  repairable: {
    tone: 'warn',
    mark: '↺',
    word: 'Damaged, can be repaired',
    sentence: 'The list has lost items or shows them wrongly, and every one of them can be restored.',
  },
  unrecoverable: {
    tone: 'bad',
    mark: '✕',
    word: 'Damaged, cannot be repaired completely',
    sentence: 'Something is missing, and no given source holds it.',
  },
  unknown: {
    tone: 'quiet',
    mark: '?',
    word: 'Could not tell',
    sentence: 'The given sources are not enough to tell whether the list is whole.',
  },
};

/** The sources that were compared with the list. */
export const EVIDENCE: Readonly<Record<Evidence, string>> = {
  ledger: 'the ledger',
  ledger_and_responses: 'the ledger and responses',
  responses: 'responses',
  list: 'no other source',
};

/** The words in the list's lane for an item that is not there. */
export const ABSENCES: Readonly<Record<Exclude<TimelineItemStatus, 'listed' | 'removed'>, string>> = {
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

const STATUSES: Readonly<Record<TimelineItemStatus, Badge | undefined>> = {
  listed: undefined,
  lost: undefined,
  pending: { tone: 'quiet', mark: '…', word: 'Still to be written to the conversation' },
  local: { tone: 'quiet', mark: '⌂', word: 'In the ledger only' },
  removed: { tone: 'quiet', mark: '−', word: 'Removed from the history, still in the list' },
};

/** The badges of an item. */
export function badgesOf(
  status: TimelineItemStatus,
  findings: readonly FindingKind[],
  isKept: boolean,
): Badge[] {
  const said = STATUSES[status];
  const badges = [...findings.map((kind) => FINDINGS[kind]), ...(said === undefined ? [] : [said])];
  if (status === 'lost' && !findings.includes('lost')) badges.unshift(FINDINGS.lost);
  if (status !== 'lost') return badges;
  return [
    ...badges,
    isKept
      ? { tone: 'good', mark: '↺', word: 'Can be restored' }
      : { tone: 'bad', mark: '∅', word: 'Cannot be restored: no source holds it' },
  ];
}

/** The words for a source; the ID of a response follows. */
export function wordOfSource({ source }: ContentSource): string {
  return { ledger: 'the ledger', list: 'the list', response: 'response', chain: 'the input of' }[source];
}

/** The words for a response's status. */
export const RESPONSES: Readonly<Record<DiagnosedResponse['status'], string>> = {
  used: 'part of the conversation',
  missing: 'no longer there',
  unfinished: 'not finished',
  failed: 'failed or cancelled',
  elsewhere: 'belongs to another conversation',
  unrelated: 'shares nothing with this conversation',
  superseded: 'has another answer here: a retry or a branch',
  unrecorded: 'not in the ledger',
};

/** A caveat as a sentence. */
export function sentenceOf({ kind, count }: Caveat): string {
  const items = count === 1 ? '1 item' : `${count.toLocaleString('en')} items`;
  const responses = count === 1 ? '1 response' : `${count.toLocaleString('en')} responses`;
  return {
    no_evidence:
      'There is nothing to compare the list with. Give a ledger, or responses of this conversation.',
    before_first: 'Losses before the oldest readable response are not known.',
    unaccounted: `No response accounts for ${items} of the list, so their neighbours may be lost.`,
    unanswered: `${items} (messages or tool calls) have no known answer.`,
    lone_reasoning: `${items} of reasoning have no output after them: it was lost.`,
    response_missing: `${responses} could not be read any more.`,
    response_unknown: `${responses} that you named could not be read, and nothing says that they belong here.`,
    unproven: `${items} were adopted from a list without proof: its earlier losses are not known.`,
    ledger_empty: 'The ledger does not know this conversation.',
    list_gone: 'The conversation itself no longer exists.',
  }[kind];
}
