import { InvalidOptionsError } from '../errors/options.ts';
import { isMessageForModel, turnStarts } from '../items/read-item.ts';
import {
  oncePerVersion,
  type LedgerEntry,
  type LedgerState,
  type RecordedResponse,
} from '../ledger/state.ts';

/** The entries and responses of one turn. */
export interface RecordedTurn {
  /** Names the turn in all processes, and stays the same. */
  readonly turnId: string;
  /** The index of its first entry. */
  readonly from: number;
  readonly entries: readonly LedgerEntry[];
  /** Its responses that are still in the history, oldest first. */
  readonly responses: readonly RecordedResponse[];
}

type RecordedHistory = Pick<LedgerState, 'version' | 'entries' | 'responses' | 'drafts'>;

/**
 * The turns of a history, oldest first. A turn begins at a message for the model behind an answer, or behind an interrupted turn
 * of another run; items before the first one belong to the first turn.
 */
export const turnsOf: (state: RecordedHistory) => readonly RecordedTurn[] = oncePerVersion(findTurns);

interface OpenTurn extends RecordedTurn {
  readonly entries: LedgerEntry[];
  readonly responses: RecordedResponse[];
  /** The places of its first and its last entry. */
  readonly first: number;
  last: number;
}

function findTurns({ entries, responses, drafts }: RecordedHistory): RecordedTurn[] {
  const starts = new Set(turnStarts(entries.map(({ kind }) => kind)).slice(1));
  // Where interrupted turns begin and end, the last place first.
  const bounds = drafts.interrupted
    .flatMap(({ from, until }) => [from, until])
    .toSorted((one, other) => other - one);
  const turns: OpenTurn[] = [];
  for (const [from, { entry, place }] of placed(entries).entries()) {
    let isBound = false;
    for (; (bounds.at(-1) ?? Number.POSITIVE_INFINITY) <= place; bounds.pop()) isBound = true;
    const turn = turns.at(-1);
    if (turn === undefined || starts.has(from) || (isBound && isMessageForModel(entry.kind))) {
      const turnId = `turn_${entry.seq}`;
      turns.push({ turnId, from, entries: [entry], responses: [], first: place, last: place });
    } else {
      turn.entries.push(entry);
      turn.last = place;
    }
  }
  assign(responses, turns);
  return turns.map(({ turnId, from, entries: own, responses: newestFirst }) => ({
    turnId,
    from,
    entries: own,
    responses: newestFirst.toReversed(),
  }));
}

/** Gives each turn its responses, newest first. The items of a response that was taken back are gone. */
function assign(responses: readonly RecordedResponse[], turns: readonly OpenTurn[]): void {
  const left = [...responses];
  for (const turn of turns.toReversed()) {
    for (
      let newest = left.at(-1);
      newest !== undefined && (turn.from === 0 || newest.nextSeq > turn.first);
      newest = left.at(-1)
    ) {
      left.pop();
      if (newest.nextSeq <= turn.last + 1) turn.responses.push(newest);
    }
  }
}

/** @throws InvalidOptionsError if no turn has this ID, and no response of a turn. */
export function indexOfTurn(turns: readonly RecordedTurn[], option: string, id: string): number {
  const index = turns.findLastIndex(
    ({ turnId, responses }) => turnId === id || responses.some((response) => response.id === id),
  );
  if (index === -1) throw new InvalidOptionsError(option, 'names no turn of the session');
  return index;
}

/**
 * The entries with their sequence numbers as if none had been changed or adopted later: an item belongs to no later turn than the
 * next one.
 */
function placed(entries: readonly LedgerEntry[]): { readonly entry: LedgerEntry; readonly place: number }[] {
  let place = Number.POSITIVE_INFINITY;
  return entries
    .toReversed()
    .map((entry) => ({ entry, place: (place = Math.min(place, entry.seq)) }))
    .toReversed();
}
