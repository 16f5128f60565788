import { alignViews } from './align-views.ts';
import type { ItemBook, Sighting } from './item-book.ts';
import type { View } from './read-responses.ts';

/** One item of the conversation as it was. */
export interface TruthNode {
  readonly key: number;
  /** Under which it is known, if it is. */
  id: string | undefined;
  /** Where it stands in the base. */
  base: number | undefined;
  /** The response that made it. */
  readonly maker: string | undefined;
  /** The response that it was first given to. */
  giver: string | undefined;
  /** The response that answered it. */
  answeredBy: string | undefined;
  /** The place in time of the response that made it known; undefined when only the base did. */
  readonly rank: number | undefined;
}

/** What is known of a new node. */
export type NewNode = Pick<TruthNode, 'key'> & Partial<Omit<TruthNode, 'key'>>;

/** How a view is looked through for what is missing. */
export interface GapOptions extends Pick<NewNode, 'giver' | 'rank'> {
  /** Up to which position. */
  readonly end: number;
  /** Whether the view is all that the response was given. */
  readonly isWhole: boolean;
}

/** An item of a view or of the base. */
interface Seen {
  readonly id: string | undefined;
  readonly key: number;
}

/** Where what was seen stands: for each item the node, if it has one there in order. */
export type Matches = readonly (TruthNode | undefined)[];

/** The conversation as it was, as far as it is put together. */
export class Truth {
  readonly nodes: TruthNode[] = [];
  readonly #book: Pick<ItemBook, 'facts'>;
  readonly #byId = new Map<string, TruthNode>();
  readonly #counts = new Map<number, number>();

  constructor(book: Pick<ItemBook, 'facts'>) {
    this.#book = book;
  }

  /** The node of an ID. */
  known(id: string | undefined): TruthNode | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** How many nodes of a kind there are. */
  count(key: number): number {
    return this.#counts.get(key) ?? 0;
  }

  insert(position: number, node: NewNode): TruthNode {
    const { key, id, base, maker, giver, answeredBy, rank } = node;
    const made: TruthNode = { key, id, base, maker, giver, answeredBy, rank };
    this.nodes.splice(position, 0, made);
    this.#counts.set(key, this.count(key) + 1);
    if (id !== undefined) this.#byId.set(id, made);
    return made;
  }

  append(node: NewNode): TruthNode {
    return this.insert(this.nodes.length, node);
  }

  /**
   * Pairs what was seen with nodes, in order: by ID, else by what a model reads.
   *
   * @param isWhole false when it begins with what one response alone has made: nothing of it stands before that.
   */
  match(seen: readonly Seen[], isWhole = true): Matches {
    const serials = new Map<TruthNode, number>();
    const left = seen.map(({ id, key }) => {
      const node = this.known(id);
      if (node === undefined) return key;
      const serial = serials.get(node) ?? -1 - serials.size;
      serials.set(node, serial);
      return serial;
    });
    const begins = this.nodes.findLastIndex(({ key }) => key === seen[0]?.key);
    const nodes = isWhole ? this.nodes : this.nodes.slice(Math.max(0, begins));
    const right = nodes.map((node) => serials.get(node) ?? node.key);
    return alignViews(left, right).map((position) => (position === undefined ? undefined : nodes[position]));
  }

  /**
   * Puts in what a view shows between things that are known, and that is not known yet: it was lost before.
   *
   * What stands elsewhere already is not put in again: a list that was out of order was read in that order.
   *
   */
  fillGaps(view: readonly Seen[], matches: Matches, { end, isWhole, ...known }: GapOptions): void {
    const isGap = ({ id }: Seen, at: number): boolean =>
      at < end && matches[at] === undefined && this.known(id) === undefined;
    if (!view.some(isGap)) return;
    const shown = new Map<number, number>();
    for (const { key } of view) shown.set(key, (shown.get(key) ?? 0) + 1);
    const places = new Map(this.nodes.map((node, position) => [node, position]));
    const placeOf = (match: TruthNode | undefined): number | undefined => match && places.get(match);
    // Where only the end was looked at, the same may have been said before.
    const counts = new Map<number, number>();
    const from = isWhole ? 0 : (placeOf(matches.find((match) => match !== undefined)) ?? 0);
    for (const { key } of this.nodes.slice(from)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const gaps: { position: number; node: NewNode }[] = [];
    let [before, filled] = [-1, 0];
    view.forEach((one, at) => {
      before = placeOf(matches[at]) ?? before;
      if (!isGap(one, at) || (counts.get(one.key) ?? 0) >= (shown.get(one.key) ?? 0)) return;
      const next = matches.slice(at + 1, end).find((match) => match !== undefined);
      const after = placeOf(next) ?? this.nodes.length;
      const { role } = this.#book.facts(one.key);
      if (role === 'reasoning' && this.#hasReasoning(before, after)) return;
      // An answer follows what it answers; what was said stands before what was answered next.
      filled = Math.max(filled, role === 'input' ? after : before + 1);
      counts.set(one.key, (counts.get(one.key) ?? 0) + 1);
      const { rank } = known;
      gaps.push({ position: filled, node: { ...one, ...(role === 'input' ? known : { rank }) } });
    });
    gaps.forEach(({ position, node }, inserted) => this.insert(position + inserted, node));
  }

  /** Puts the base in: what responses do not account for stands where the base has it. */
  mergeBase(base: readonly Sighting[]): void {
    const matches = this.match(base);
    const spare = new Map<number, TruthNode[]>();
    const taken = new Set(matches);
    for (const node of this.nodes) {
      if (!taken.has(node)) spare.set(node.key, [...(spare.get(node.key) ?? []), node]);
    }
    let before: TruthNode | undefined;
    base.forEach(({ id, key }, position) => {
      // The same item out of order, before it counts as another.
      const node = matches[position] ?? this.#pinned(id, taken) ?? spare.get(key)?.shift();
      if (node !== undefined) {
        taken.add(node);
        node.base = position;
        this.#identify(node, id);
        if (matches[position] !== undefined) before = node;
        return;
      }
      before = this.insert(this.#endOfTurn(before), { key, id, base: position });
    });
  }

  /** The node of an ID, once. */
  #pinned(id: string, taken: ReadonlySet<TruthNode | undefined>): TruthNode | undefined {
    const node = this.known(id);
    return node === undefined || taken.has(node) ? undefined : node;
  }

  #identify(node: TruthNode, id: string): void {
    node.id = id;
    this.#byId.set(id, node);
  }

  /** Behind a node and what follows it in the same turn, as far as responses have shown that. */
  #endOfTurn(before: TruthNode | undefined): number {
    if (before === undefined) return 0;
    let at = this.nodes.indexOf(before) + 1;
    if (before.maker === undefined && before.giver === undefined) return at;
    for (let next = this.nodes[at]; next !== undefined; next = this.nodes[at]) {
      const isShown = next.base === undefined && (next.maker ?? next.giver) !== undefined;
      const { role, kind } = this.#book.facts(next.key);
      if (!isShown || (role === 'input' && kind.startsWith('message:'))) break;
      at += 1;
    }
    return at;
  }

  /** Reasoning comes back under other IDs, and no digest covers it: where there is some, it is that. */
  #hasReasoning(before: number, after: number): boolean {
    return [this.nodes[before + 1], this.nodes[after - 1]].some(
      (node) => node !== undefined && this.#book.facts(node.key).role === 'reasoning',
    );
  }
}

/** A view as a list of what was seen. */
export function seenIn({ keys, ids }: View): Seen[] {
  return Array.from(keys, (key, at) => ({ id: ids[at], key }));
}
