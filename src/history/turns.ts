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

function findTurns(state: RecordedHistory): RecordedTurn[] {
  const { entries, responses } = state;
  if (entries.length === 0) return [];
  const kinds = entries.map(({ kind }) => kind);
  const places = placesOf(entries);
  const starts = [0, ...union(turnStarts(kinds).slice(1), startsOfInterrupted(state, places))];
  const turns = starts.map((from, index) => {
    const part = entries.slice(from, starts[index + 1]);
    const last = places[from + part.length - 1] ?? 0;
    return { turnId: `turn_${part[0]?.seq ?? 0}`, from, entries: part, first: places[from] ?? 0, last };
  });
  const byTurn = new Map<number, RecordedResponse[]>();
  let at = turns.length - 1;
  for (const response of responses.toReversed()) {
    while (at > 0 && (turns[at]?.first ?? 0) >= response.nextSeq) at -= 1;
    // The items of a response that was taken back are gone.
    if (response.nextSeq > (turns[at]?.last ?? 0) + 1) continue;
    const newer = byTurn.get(at);
    if (newer === undefined) byTurn.set(at, [response]);
    else newer.push(response);
  }
  return turns.map(({ turnId, from, entries: part }, index) => ({
    turnId,
    from,
    entries: part,
    responses: (byTurn.get(index) ?? []).toReversed(),
  }));
}

/** The indexes of the messages with which an interrupted turn begins, or the turn behind one. */
function startsOfInterrupted(
  { entries, drafts }: Pick<LedgerState, 'entries' | 'drafts'>,
  places: readonly number[],
): number[] {
  const ends = drafts.interrupted
    .flatMap(({ from, until }) => [from, until])
    .toSorted((one, other) => one - other);
  const starts: number[] = [];
  let at = 0;
  for (const [index, { kind }] of entries.entries()) {
    const place = places[index] ?? 0;
    const before = at;
    while ((ends[at] ?? Number.POSITIVE_INFINITY) <= place) at += 1;
    if (at > before && index > 0 && isMessageForModel(kind)) starts.push(index);
  }
  return starts;
}

/** Two sorted lists as one, without doubles. */
function union(some: readonly number[], others: readonly number[]): number[] {
  return [...new Set([...some, ...others])].toSorted((one, other) => one - other);
}

/** @throws InvalidOptionsError if no turn has this ID, and no response of a turn. */
export function indexOfTurn(turns: readonly RecordedTurn[], option: string, id: string): number {
  const index = turns.findLastIndex(
    ({ turnId, responses }) => turnId === id || responses.some((response) => response.id === id),
  );
  if (index === -1) throw new InvalidOptionsError(option, 'names no turn of the session');
  return index;
}

/** The sequence numbers as if no item had been changed or adopted later: an item belongs to no later turn than the next item. */
function placesOf(entries: readonly LedgerEntry[]): number[] {
  let least = Number.POSITIVE_INFINITY;
  return entries
    .toReversed()
    .map(({ seq }) => (least = Math.min(least, seq)))
    .toReversed();
}
