import { confirmedResponses, type ConfirmOptions } from './confirmed.ts';
import type { ResponseStanding } from './diagnosis.ts';
import type { ReadResponse } from './read-responses.ts';
import { TurnPlacement } from './turn-placement.ts';
import { inTimeOrder } from './time-order.ts';
import { Truth, type TruthNode } from './truth.ts';

/** How often what was accepted may imply more. */
const ROUNDS = 8;

/** The conversation as it was, and what became of each response. */
export interface Reconstruction {
  readonly nodes: readonly TruthNode[];
  readonly standings: ReadonlyMap<string, ResponseStanding>;
}

/**
 * Puts a conversation together from what its responses were given and answered, and from the base. Pure.
 *
 * Responses that are known to belong here are put one behind the other as they were made. Then the base is put in: what it
 * shows beyond them stands where it stands there. At last the responses of which nobody has seen the answer: each has to find
 * what it answered, still without an answer, or to follow something that is here. What belongs here because of those is
 * then known as well, and all is put together again.
 */
export function reconstruct(responses: readonly ReadResponse[], options: ConfirmOptions): Reconstruction {
  const { base, book, conversationId } = options;
  const standings = new Map<string, ResponseStanding>();
  const usable = responses.filter((response) => {
    const standing = ownStanding(response, conversationId);
    if (standing !== undefined) standings.set(response.id, standing);
    return standing === undefined;
  });
  const places = new Map(base.map(({ id }, position) => [id, position]));
  const ordered = inTimeOrder(usable, book, (id) => places.get(id));
  let accepted: ReadonlySet<string> = new Set();
  for (let round = 1; ; round += 1) {
    const confirmed = confirmedResponses(ordered, { ...options, accepted });
    const put = putTogether(ordered, confirmed, options);
    const used = Array.from(put.standings).flatMap(([id, standing]) => (standing === 'used' ? [id] : []));
    // What one of them continued, or was given the output of, belongs here as well.
    const implied = confirmedResponses(ordered, { ...options, accepted: new Set([...confirmed, ...used]) });
    if (implied.size === confirmed.size || round === ROUNDS)
      return { nodes: put.nodes, standings: new Map([...standings, ...put.standings]) };
    accepted = implied;
  }
}

function putTogether(
  ordered: readonly ReadResponse[],
  confirmed: ReadonlySet<string>,
  options: ConfirmOptions,
): Reconstruction {
  const truth = new Truth(options.book);
  const placement = new TurnPlacement(truth, options.book, seenAtOnce(ordered, confirmed, options));
  const standings = new Map<string, ResponseStanding>();
  const ranked = ordered.map((response, rank) => ({ response, rank }));
  for (const { response, rank } of ranked) {
    if (confirmed.has(response.id)) standings.set(response.id, placement.follow(response, rank));
  }
  truth.mergeBase(options.base);
  for (const { response, rank } of ranked) {
    if (!confirmed.has(response.id)) standings.set(response.id, placement.fit(response, rank));
  }
  return { nodes: truth.nodes, standings };
}

/** What a response is for its own reasons; undefined when it can be part of the conversation. */
export function ownStanding(
  { status, conversationId: madeIn }: ReadResponse,
  conversationId: string,
): ResponseStanding | undefined {
  if (status === 'failed' || status === 'cancelled') return 'failed';
  if (status === 'in_progress' || status === 'queued') return 'unfinished';
  return madeIn === undefined || madeIn === conversationId ? undefined : 'elsewhere';
}

/** How often the same stood in the base or in one view: so often it was said at least. */
function seenAtOnce(
  responses: readonly ReadResponse[],
  confirmed: ReadonlySet<string>,
  { base }: ConfirmOptions,
): ReadonlyMap<number, number> {
  const most = new Map<number, number>();
  const count = (keys: Iterable<number>): void => {
    const counts = new Map<number, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const [key, times] of counts) most.set(key, Math.max(times, most.get(key) ?? 0));
  };
  count(base.map(({ key }) => key));
  for (const { id, view } of responses) if (confirmed.has(id)) count(view.keys);
  return most;
}
