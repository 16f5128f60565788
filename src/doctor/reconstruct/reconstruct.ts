import { confirmedResponses, type ConfirmOptions } from './confirm-responses.ts';
import type { DiagnosedResponseStatus } from '../diagnosis.ts';
import type { ReadResponse } from '../evidence/responses.ts';
import { TurnPlacement } from './placement.ts';
import { inTimeOrder } from './chronology.ts';
import { ReconstructedTimeline, type TimelineNode } from './reconstructed-timeline.ts';

/** Highest number of rounds in which accepted responses may imply others. */
const MAX_ROUNDS = 8;

/** The reconstructed items, and the status of each response. */
export interface Reconstruction {
  readonly nodes: readonly TimelineNode[];
  readonly statuses: ReadonlyMap<string, DiagnosedResponseStatus>;
  /** The IDs of the responses, oldest first: `rank` is the position here. */
  readonly order: readonly string[];
}

/**
 * Reconstructs a conversation from the inputs and outputs of its responses, and from the base. Pure.
 *
 * It places the confirmed responses, oldest first. Then it merges the base: items without a response keep their place there.
 * At last it places each other response behind its input, if that has no answer yet, or behind its parent. Those placed
 * responses can confirm others, so the reconstruction starts again until none is added.
 */
export function reconstruct(responses: readonly ReadResponse[], options: ConfirmOptions): Reconstruction {
  const { base, itemIndex, conversationId } = options;
  const statuses = new Map<string, DiagnosedResponseStatus>();
  const usable = responses.filter((response) => {
    const status = ownStatus(response, conversationId);
    if (status !== undefined) statuses.set(response.id, status);
    return status === undefined;
  });
  const ordered = inTimeOrder(usable, itemIndex, placesIn(base, usable));
  let accepted: ReadonlySet<string> = new Set();
  for (let round = 1; ; round += 1) {
    const confirmed = confirmedResponses(ordered, { ...options, accepted });
    const put = buildTimeline(ordered, confirmed, options);
    const used = Array.from(put.statuses).flatMap(([id, status]) => (status === 'used' ? [id] : []));
    // Their parents, and the producers of their inputs, belong here as well.
    const implied = confirmedResponses(ordered, { ...options, accepted: new Set([...confirmed, ...used]) });
    if (implied.size === confirmed.size || round === MAX_ROUNDS)
      return {
        nodes: put.nodes,
        statuses: new Map([...statuses, ...put.statuses]),
        order: ordered.map(({ id }) => id),
      };
    accepted = implied;
  }
}

function buildTimeline(
  ordered: readonly ReadResponse[],
  confirmed: ReadonlySet<string>,
  options: ConfirmOptions,
): Omit<Reconstruction, 'order'> {
  const timeline = new ReconstructedTimeline(options.itemIndex);
  const placement = new TurnPlacement(timeline, options.itemIndex, seenAtOnce(ordered, confirmed, options));
  const statuses = new Map<string, DiagnosedResponseStatus>();
  const ranked = ordered.map((response, rank) => ({ response, rank }));
  for (const { response, rank } of ranked) {
    if (confirmed.has(response.id)) statuses.set(response.id, placement.placeConfirmed(response, rank));
  }
  timeline.mergeBase(options.base);
  for (const { response, rank } of ranked) {
    if (!confirmed.has(response.id)) statuses.set(response.id, placement.placeByContext(response, rank));
  }
  return { nodes: timeline.nodes, statuses };
}

/** The position of an item in the base: by its ID, else by its content if that is unique. */
function placesIn(
  base: ConfirmOptions['base'],
  responses: readonly ReadResponse[],
): (id: string | undefined, key: number) => number | undefined {
  const byId = new Map(base.map(({ id }, position) => [id, position]));
  const byKey = new Map<number, number | undefined>();
  base.forEach(({ key }, position) => byKey.set(key, byKey.has(key) ? undefined : position));
  const seen = new Set<number>();
  for (const { output, input } of responses) {
    for (const key of [...output.map((one) => one.key), ...input.keys.slice(-1)]) {
      if (seen.has(key)) byKey.delete(key);
      seen.add(key);
    }
  }
  return (id, key) => (id === undefined ? undefined : byId.get(id)) ?? byKey.get(key);
}

/** The status that follows from the response alone; undefined when it can be part of the conversation. */
export function ownStatus(
  { apiStatus, conversationId: madeIn }: ReadResponse,
  conversationId: string,
): DiagnosedResponseStatus | undefined {
  if (apiStatus === 'failed' || apiStatus === 'cancelled') return 'failed';
  if (apiStatus === 'in_progress' || apiStatus === 'queued') return 'unfinished';
  return madeIn === undefined || madeIn === conversationId ? undefined : 'elsewhere';
}

/** The highest count of each key in the base or in one input: the item occurred at least so often. */
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
  for (const { id, input } of responses) if (confirmed.has(id)) count(input.keys);
  return most;
}
