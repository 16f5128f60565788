import type { DiagnosedResponseStatus } from '../diagnosis.ts';
import type { ItemIndex } from '../evidence/item-index.ts';
import type { ReadResponse } from '../evidence/responses.ts';
import {
  occurrencesOf,
  type Matches,
  type ReconstructedTimeline,
  type TimelineNode,
} from './reconstructed-timeline.ts';

/** A response's input, compared with the timeline. */
interface ComparedInput {
  readonly seen: ReturnType<typeof occurrencesOf>;
  readonly matches: Matches;
  /** The position of the first node that the input can show. */
  readonly from: number;
  /** The start of the response's own input: items before it are earlier history. */
  readonly own: number;
}

/** Places the inputs and outputs of responses in a reconstructed timeline. */
export class TurnPlacement {
  readonly #timeline: ReconstructedTimeline;
  readonly #itemIndex: Pick<ItemIndex, 'facts'>;
  readonly #minCounts: ReadonlyMap<number, number>;
  /** For each placed response the node that it answered. */
  readonly #answered = new Map<string, TimelineNode | undefined>();
  /** The first placed response of each input. */
  readonly #firstByInput = new Map<string, ReadResponse>();
  readonly #continued = new Set<string>();

  /** @param minCounts for each key the least number of items: see `reconstruct`. */
  constructor(
    timeline: ReconstructedTimeline,
    itemIndex: Pick<ItemIndex, 'facts'>,
    minCounts: ReadonlyMap<number, number>,
  ) {
    this.#timeline = timeline;
    this.#itemIndex = itemIndex;
    this.#minCounts = minCounts;
  }

  /** Places a confirmed response that is newer than all placed ones. */
  placeConfirmed(response: ReadResponse, rank: number): DiagnosedResponseStatus {
    const { seen, matches, from, own } = this.#compare(response);
    const { id } = response;
    const before = this.#retried(response);
    if (before !== undefined) {
      const isSame = sameAnswer(before, response);
      if (!isSame) this.#answer(response, rank, this.#lastOf(before.id) + 1);
      this.#answered.set(id, this.#answered.get(before.id));
      return isSame ? 'superseded' : 'used';
    }
    this.#timeline.fillGaps(seen, matches, { end: own, from, firstGivenTo: id, rank });
    let last: TimelineNode | undefined = this.#timeline.known(seen.at(-1)?.id) ?? matches.at(-1);
    for (const [at, one] of seen.entries()) {
      if (at < own || matches[at] !== undefined || this.#timeline.known(one.id) !== undefined) continue;
      last = this.#timeline.append({ ...one, firstGivenTo: id, rank });
    }
    this.#use(response, last);
    this.#answer(response, rank, this.#timeline.nodes.length);
    return 'used';
  }

  /** Places a response whose output is in no other source, if its input has a free place. */
  placeByContext(response: ReadResponse, rank: number): DiagnosedResponseStatus {
    const { seen, matches, from, own } = this.#compare(response);
    const { nodes } = this.#timeline;
    const { id, parent } = response;
    const known = matches.findLast((match) => match !== undefined);
    const follows = parent !== undefined && this.#answered.has(parent) ? this.#lastOf(parent) : -1;
    const after = Math.max(known === undefined ? -1 : nodes.indexOf(known), follows);
    const slot = this.#slot(seen.slice(own), after, rank);
    if (slot === 'taken') return 'superseded';
    if (slot === undefined) {
      if (follows !== -1 && parent !== undefined && this.#continued.has(parent)) return 'superseded';
      const isTied =
        follows !== -1 ||
        matches.some((match) => match !== undefined && this.#isDistinctive(match)) ||
        this.#isOpen(known, matches.slice(0, own));
      if (!isTied) return 'unrelated';
    }
    const place = slot?.nodes[0] ?? nodes[this.#behindEarlier(after, rank)];
    this.#timeline.fillGaps(seen, matches, { end: own, from, firstGivenTo: id, rank });
    let position = place === undefined ? nodes.length : nodes.indexOf(place);
    let last: TimelineNode | undefined;
    const input = seen.slice(own).filter((one) => this.#timeline.known(one.id) === undefined);
    const missing = input.slice(0, input.length - (slot?.nodes.length ?? 0));
    for (const one of missing) {
      last = this.#timeline.insert(position, { ...one, firstGivenTo: id, rank });
      position += 1;
    }
    for (const node of slot?.nodes ?? []) {
      node.firstGivenTo = id;
      last = node;
      position += 1;
    }
    this.#use(response, last);
    this.#answer(response, rank, position);
    return 'used';
  }

  #compare(response: ReadResponse): ComparedInput {
    const seen = occurrencesOf(response.input);
    const from = this.#beginOf(response, seen);
    const lastKey = seen.at(-1)?.key;
    // The last input is new unless its ID is known: users repeat words.
    const isNew = lastKey !== undefined && this.#itemIndex.facts(lastKey).role === 'input';
    const earlier = isNew && this.#timeline.known(seen.at(-1)?.id) === undefined ? seen.slice(0, -1) : seen;
    const matches = this.#timeline.match(earlier, from);
    const lastOutput = earlier.findLastIndex(({ key }) => this.#itemIndex.facts(key).role !== 'input');
    const lastMatch = matches.findLastIndex((match) => match !== undefined);
    return { seen, matches, from, own: Math.max(lastOutput, lastMatch) + 1 };
  }

  /**
   * The position of the first node that an input can show.
   *
   * An input without the parent's items begins behind the parent. An input that was read from its end begins with an output
   * that only one response has produced.
   */
  #beginOf({ parent, input }: ReadResponse, seen: ComparedInput['seen']): number {
    if (parent !== undefined && this.#answered.has(parent) && !this.#inherits(seen, parent))
      return this.#lastOf(parent) + 1;
    if (input.isWhole) return 0;
    return Math.max(
      0,
      this.#timeline.nodes.findLastIndex(({ key }) => key === seen[0]?.key),
    );
  }

  /** Whether an input holds the parent's output: then it is the whole context. */
  #inherits(seen: ComparedInput['seen'], parent: string): boolean {
    const outputs = this.#timeline.nodes.filter(({ producedBy }) => producedBy === parent);
    const ids = new Set(outputs.map(({ id }) => id));
    const keys = new Set(outputs.map(({ key }) => key));
    return seen.some(({ id, key }) => (id !== undefined && ids.has(id)) || keys.has(key));
  }

  /** The earlier response with the same input: this one is a retry, unless the user repeated the words. */
  #retried(response: ReadResponse): ReadResponse | undefined {
    const { keys, ids } = response.input;
    const last = keys.at(-1);
    // A conversation stores the input of a retry as well.
    if (response.conversationId !== undefined || !response.input.isWhole) return undefined;
    const twin = this.#firstByInput.get(keys.join());
    if (twin === undefined || last === undefined || response.parent !== twin.parent) return undefined;
    if (ids.at(-1) !== undefined && ids.at(-1) !== twin.input.ids.at(-1)) return undefined;
    return (this.#minCounts.get(last) ?? 0) > this.#timeline.count(last) ? undefined : twin;
  }

  #use(response: ReadResponse, answered: TimelineNode | undefined): void {
    this.#answered.set(response.id, answered);
    if (answered !== undefined) answered.answeredBy ??= response.id;
    const { parent, input } = response;
    if (parent !== undefined) this.#continued.add(parent);
    const name = input.keys.join();
    if (input.isWhole && !this.#firstByInput.has(name)) this.#firstByInput.set(name, response);
  }

  #answer({ id, output }: ReadResponse, rank: number, position: number): void {
    let at = position;
    for (const one of output) {
      if (this.#timeline.known(one.id) !== undefined) continue;
      this.#timeline.insert(at, { ...one, producedBy: id, rank });
      at += 1;
    }
  }

  /**
   * The nodes of a response's own input that have no answer yet, after its earlier input and before any later output. The
   * longest run of equal nodes wins, so that repeated words are not confused.
   */
  #slot(
    input: ComparedInput['seen'],
    after: number,
    rank: number,
  ): { nodes: TimelineNode[] } | 'taken' | undefined {
    const last = input.at(-1);
    if (last === undefined) return undefined;
    const { nodes } = this.#timeline;
    let best: TimelineNode[] = [];
    let isTaken = false;
    for (let at = after + 1; at < nodes.length; at += 1) {
      const node = nodes[at];
      if (node === undefined || (node.producedBy !== undefined && (node.rank ?? 0) > rank)) break;
      if (node.key !== last.key || this.#isOutput(node)) continue;
      const next = nodes[at + 1];
      if (node.answeredBy !== undefined || (next !== undefined && this.#isOutput(next))) {
        isTaken = true;
        continue;
      }
      const run = this.#runBefore(input, at, after);
      if (run.length > best.length) best = run;
    }
    if (best.length > 0) return { nodes: best };
    return isTaken ? 'taken' : undefined;
  }

  /** Whether all earlier items of an input are known, and the last one has no answer. */
  #isOpen(known: TimelineNode | undefined, matches: Matches): boolean {
    if (known === undefined || known.answeredBy !== undefined || matches.includes(undefined)) return false;
    const next = this.#timeline.nodes[this.#timeline.nodes.indexOf(known) + 1];
    return next === undefined || !this.#isOutput(next);
  }

  /** The nodes up to a position that equal the end of an input. */
  #runBefore(input: ComparedInput['seen'], end: number, after: number): TimelineNode[] {
    const run: TimelineNode[] = [];
    for (let back = 0; back < input.length && end - back > after; back += 1) {
      const node = this.#timeline.nodes[end - back];
      if (node === undefined || node.key !== input[input.length - 1 - back]?.key) break;
      if (back > 0 && node.answeredBy !== undefined) break;
      run.unshift(node);
    }
    return run;
  }

  /** The position behind the known input and all older nodes. */
  #behindEarlier(after: number, rank: number): number {
    const earlier = this.#timeline.nodes.findLastIndex((node) => node.rank !== undefined && node.rank < rank);
    return Math.max(after, earlier) + 1;
  }

  /** The position of a response's last output, else of the node that it answered. */
  #lastOf(id: string): number {
    const { nodes } = this.#timeline;
    const made = nodes.findLastIndex(({ producedBy }) => producedBy === id);
    if (made !== -1) return made;
    const answered = this.#answered.get(id);
    return answered === undefined ? -1 : nodes.indexOf(answered);
  }

  /** Whether the node is unlikely in another conversation: an output of a model, or the result of a call. */
  #isDistinctive({ key }: TimelineNode): boolean {
    const { role, kind } = this.#itemIndex.facts(key);
    return role !== 'input' || !kind.startsWith('message:');
  }

  #isOutput({ key }: TimelineNode): boolean {
    return this.#itemIndex.facts(key).role !== 'input';
  }
}

function sameAnswer(one: ReadResponse, other: ReadResponse): boolean {
  return one.output.map(({ key }) => key).join() === other.output.map(({ key }) => key).join();
}
