import type { ResponseStanding } from './diagnosis.ts';
import type { ItemBook } from './item-book.ts';
import type { ReadResponse } from './read-responses.ts';
import { seenIn, type Matches, type Truth, type TruthNode } from './truth.ts';

/** A response's view, as it is to be put in. */
interface Read {
  readonly seen: ReturnType<typeof seenIn>;
  readonly matches: Matches;
  /** Where the response's own input begins: what stands before was said earlier. */
  readonly own: number;
}

/** Puts what responses were given and answered where it was said. */
export class TurnPlacement {
  readonly #truth: Truth;
  readonly #book: Pick<ItemBook, 'facts'>;
  readonly #most: ReadonlyMap<number, number>;
  /** What each response that was put in answered, by its ID. */
  readonly #answered = new Map<string, TruthNode | undefined>();
  /** The responses that were given exactly the same, by what that was. */
  readonly #sameView = new Map<string, ReadResponse>();
  readonly #continued = new Set<string>();

  /** @param most how often the same was said at least: see `reconstruct`. */
  constructor(truth: Truth, book: Pick<ItemBook, 'facts'>, most: ReadonlyMap<number, number>) {
    this.#truth = truth;
    this.#book = book;
    this.#most = most;
  }

  /** Puts in a response that belongs here and was made after all that are in. */
  follow(response: ReadResponse, rank: number): ResponseStanding {
    const { seen, matches, own } = this.#read(response);
    const { id } = response;
    const before = this.#twin(response);
    if (before !== undefined) {
      const isSame = sameAnswer(before, response);
      if (!isSame) this.#answer(response, rank, this.#lastOf(before.id) + 1);
      this.#answered.set(id, this.#answered.get(before.id));
      return isSame ? 'superseded' : 'used';
    }
    this.#truth.fillGaps(seen, matches, { end: own, isWhole: response.view.isWhole, giver: id, rank });
    let last: TruthNode | undefined = this.#truth.known(seen.at(-1)?.id) ?? matches.at(-1);
    for (const [at, one] of seen.entries()) {
      if (at < own || matches[at] !== undefined || this.#truth.known(one.id) !== undefined) continue;
      last = this.#truth.append({ ...one, giver: id, rank });
    }
    this.#use(response, last);
    this.#answer(response, rank, this.#truth.nodes.length);
    return 'used';
  }

  /** Puts in a response whose answer nobody has seen, if there is a place for it. */
  fit(response: ReadResponse, rank: number): ResponseStanding {
    const { seen, matches, own } = this.#read(response);
    const { nodes } = this.#truth;
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
        matches.some((match) => match !== undefined && this.#isTelling(match)) ||
        this.#isOpen(known, matches.slice(0, own));
      if (!isTied) return 'unrelated';
    }
    const place = slot?.nodes[0] ?? nodes[this.#behindEarlier(after, rank)];
    this.#truth.fillGaps(seen, matches, { end: own, isWhole: response.view.isWhole, giver: id, rank });
    let position = place === undefined ? nodes.length : nodes.indexOf(place);
    let last: TruthNode | undefined;
    const input = seen.slice(own).filter((one) => this.#truth.known(one.id) === undefined);
    const missing = input.slice(0, input.length - (slot?.nodes.length ?? 0));
    for (const one of missing) {
      last = this.#truth.insert(position, { ...one, giver: id, rank });
      position += 1;
    }
    for (const node of slot?.nodes ?? []) {
      node.giver = id;
      last = node;
      position += 1;
    }
    this.#use(response, last);
    this.#answer(response, rank, position);
    return 'used';
  }

  #read(response: ReadResponse): Read {
    const { view, parent } = response;
    const seen = seenIn(view);
    if (parent !== undefined && this.#answered.has(parent) && !this.#inherits(seen, parent)) {
      return { seen, matches: seen.map(({ id }) => this.#truth.known(id)), own: 0 };
    }
    const lastKey = seen.at(-1)?.key;
    // What a model answers is new, unless it is the very same item: the same words can be said twice.
    const isNew = lastKey !== undefined && this.#book.facts(lastKey).role === 'input';
    const earlier = isNew && this.#truth.known(seen.at(-1)?.id) === undefined ? seen.slice(0, -1) : seen;
    const matches = this.#truth.match(earlier, view.isWhole);
    const lastOutput = earlier.findLastIndex(({ key }) => this.#book.facts(key).role !== 'input');
    const lastMatch = matches.findLastIndex((match) => match !== undefined);
    return { seen, matches, own: Math.max(lastOutput, lastMatch) + 1 };
  }

  /** Whether a view begins with what the parent's does: then it is the whole context. */
  #inherits(seen: Read['seen'], parent: string): boolean {
    const outputs = this.#truth.nodes.filter(({ maker }) => maker === parent);
    const ids = new Set(outputs.map(({ id }) => id));
    const keys = new Set(outputs.map(({ key }) => key));
    return seen.some(({ id, key }) => (id !== undefined && ids.has(id)) || keys.has(key));
  }

  /** The response that was given the same: one of the two was a second try, unless the same was said twice. */
  #twin(response: ReadResponse): ReadResponse | undefined {
    const { keys, ids } = response.view;
    const last = keys.at(-1);
    // A conversation takes every input in, also the one of a second try.
    if (response.conversationId !== undefined || !response.view.isWhole) return undefined;
    const twin = this.#sameView.get(keys.join());
    if (twin === undefined || last === undefined || response.parent !== twin.parent) return undefined;
    if (ids.at(-1) !== undefined && ids.at(-1) !== twin.view.ids.at(-1)) return undefined;
    return (this.#most.get(last) ?? 0) > this.#truth.count(last) ? undefined : twin;
  }

  #use(response: ReadResponse, answered: TruthNode | undefined): void {
    this.#answered.set(response.id, answered);
    if (answered !== undefined) answered.answeredBy ??= response.id;
    const { parent, view } = response;
    if (parent !== undefined) this.#continued.add(parent);
    const name = view.keys.join();
    if (view.isWhole && !this.#sameView.has(name)) this.#sameView.set(name, response);
  }

  #answer({ id, output }: ReadResponse, rank: number, position: number): void {
    let at = position;
    for (const one of output) {
      if (this.#truth.known(one.id) !== undefined) continue;
      this.#truth.insert(at, { ...one, maker: id, rank });
      at += 1;
    }
  }

  /**
   * What a response answered, as it stands here: after what it was given before, and before anything that was answered
   * later. As much of its input as stands together counts, so that the same words said twice are not mistaken.
   */
  #slot(input: Read['seen'], after: number, rank: number): { nodes: TruthNode[] } | 'taken' | undefined {
    const last = input.at(-1);
    if (last === undefined) return undefined;
    const { nodes } = this.#truth;
    let best: TruthNode[] = [];
    let isTaken = false;
    for (let at = after + 1; at < nodes.length; at += 1) {
      const node = nodes[at];
      if (node === undefined || (node.maker !== undefined && (node.rank ?? 0) > rank)) break;
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

  /** Whether all that a view shows of earlier is known and ends with something that nobody has answered. */
  #isOpen(known: TruthNode | undefined, matches: Matches): boolean {
    if (known === undefined || known.answeredBy !== undefined || matches.includes(undefined)) return false;
    const next = this.#truth.nodes[this.#truth.nodes.indexOf(known) + 1];
    return next === undefined || !this.#isOutput(next);
  }

  /** How much of an input stands together up to a position. */
  #runBefore(input: Read['seen'], end: number, after: number): TruthNode[] {
    const run: TruthNode[] = [];
    for (let back = 0; back < input.length && end - back > after; back += 1) {
      const node = this.#truth.nodes[end - back];
      if (node === undefined || node.key !== input[input.length - 1 - back]?.key) break;
      if (back > 0 && node.answeredBy !== undefined) break;
      run.unshift(node);
    }
    return run;
  }

  /** Behind what is known of the view, and what was said before the response was made. */
  #behindEarlier(after: number, rank: number): number {
    const earlier = this.#truth.nodes.findLastIndex((node) => node.rank !== undefined && node.rank < rank);
    return Math.max(after, earlier) + 1;
  }

  /** The position of the last item that a response has made, or else answered. */
  #lastOf(id: string): number {
    const { nodes } = this.#truth;
    const made = nodes.findLastIndex(({ maker }) => maker === id);
    if (made !== -1) return made;
    const answered = this.#answered.get(id);
    return answered === undefined ? -1 : nodes.indexOf(answered);
  }

  /** Whether hardly anybody else would have the same: what a model made, or the result of one of its calls. */
  #isTelling({ key }: TruthNode): boolean {
    const { role, kind } = this.#book.facts(key);
    return role !== 'input' || !kind.startsWith('message:');
  }

  #isOutput({ key }: TruthNode): boolean {
    return this.#book.facts(key).role !== 'input';
  }
}

function sameAnswer(one: ReadResponse, other: ReadResponse): boolean {
  return one.output.map(({ key }) => key).join() === other.output.map(({ key }) => key).join();
}
