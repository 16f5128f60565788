import { alignKeys } from './align-keys.ts';
import type { ItemIndex, ItemOccurrence } from '../evidence/item-index.ts';
import type { ResponseInput } from '../evidence/responses.ts';

/** One item of the reconstructed conversation. */
export interface TimelineNode {
  readonly key: number;
  id: string | undefined;
  /** Its position in the base. */
  base: number | undefined;
  /** A response's ID. */
  readonly producedBy: string | undefined;
  /** A response's ID. */
  firstGivenTo: string | undefined;
  /** A response's ID. */
  answeredBy: string | undefined;
  /** The rank of the response that shows it; undefined when only the base does. */
  readonly rank: number | undefined;
}

/** The fields of a new node. */
export type NewNode = Pick<TimelineNode, 'key'> & Partial<Omit<TimelineNode, 'key'>>;

/** How an input fills gaps. */
export interface GapOptions extends Pick<NewNode, 'firstGivenTo' | 'rank'> {
  /** The end of the searched part of the input. */
  readonly end: number;
  /** The position of the first node that the input can show: see `match`. */
  readonly from: number;
}

/** An item of an input or of the base. */
interface Seen {
  readonly id: string | undefined;
  readonly key: number;
}

/** For each item its node, if the order allows one. */
export type Matches = readonly (TimelineNode | undefined)[];

/** The conversation as reconstructed so far. */
export class ReconstructedTimeline {
  readonly nodes: TimelineNode[] = [];
  readonly #itemIndex: Pick<ItemIndex, 'facts'>;
  readonly #byId = new Map<string, TimelineNode>();
  readonly #counts = new Map<number, number>();

  constructor(itemIndex: Pick<ItemIndex, 'facts'>) {
    this.#itemIndex = itemIndex;
  }

  /** The node of an ID. */
  known(id: string | undefined): TimelineNode | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** The number of nodes with a key. */
  count(key: number): number {
    return this.#counts.get(key) ?? 0;
  }

  insert(position: number, node: NewNode): TimelineNode {
    const { key, id, base, producedBy, firstGivenTo, answeredBy, rank } = node;
    const made: TimelineNode = { key, id, base, producedBy, firstGivenTo, answeredBy, rank };
    this.nodes.splice(position, 0, made);
    this.#counts.set(key, this.count(key) + 1);
    if (id !== undefined) this.#byId.set(id, made);
    return made;
  }

  append(node: NewNode): TimelineNode {
    return this.insert(this.nodes.length, node);
  }

  /**
   * Pairs items with nodes, in order: by ID, else by content.
   *
   * @param from the position of the first node that may be paired.
   */
  match(seen: readonly Seen[], from = 0): Matches {
    const serials = new Map<TimelineNode, number>();
    const left = seen.map(({ id, key }) => {
      const node = this.known(id);
      if (node === undefined) return key;
      const serial = serials.get(node) ?? -1 - serials.size;
      serials.set(node, serial);
      return serial;
    });
    const nodes = from === 0 ? this.nodes : this.nodes.slice(from);
    const right = nodes.map((node) => serials.get(node) ?? node.key);
    return alignKeys(left, right).map((position) => (position === undefined ? undefined : nodes[position]));
  }

  /**
   * Inserts the items that an input shows between known nodes: they were lost before.
   *
   * An item that has a node elsewhere is not inserted: the input was read from a list that was out of order.
   */
  fillGaps(input: readonly Seen[], matches: Matches, { end, from, ...known }: GapOptions): void {
    const isGap = ({ id }: Seen, at: number): boolean =>
      at < end && matches[at] === undefined && this.known(id) === undefined;
    if (!input.some(isGap)) return;
    const shown = new Map<number, number>();
    for (const { key } of input) shown.set(key, (shown.get(key) ?? 0) + 1);
    const positions = new Map(this.nodes.map((node, position) => [node, position]));
    const positionOf = (match: TimelineNode | undefined): number | undefined => match && positions.get(match);
    // Equal items may stand before that.
    const counts = new Map<number, number>();
    for (const { key } of this.nodes.slice(from)) counts.set(key, (counts.get(key) ?? 0) + 1);
    const gaps: { position: number; node: NewNode }[] = [];
    let [before, filled] = [from - 1, from];
    input.forEach((one, at) => {
      before = positionOf(matches[at]) ?? before;
      if (!isGap(one, at) || (counts.get(one.key) ?? 0) >= (shown.get(one.key) ?? 0)) return;
      const next = matches.slice(at + 1, end).find((match) => match !== undefined);
      const after = positionOf(next) ?? this.nodes.length;
      const { role } = this.#itemIndex.facts(one.key);
      if (role === 'reasoning' && this.#hasReasoning(before, after)) return;
      // An output follows its input; an input stands before the next output.
      filled = Math.max(filled, role === 'input' ? after : before + 1);
      counts.set(one.key, (counts.get(one.key) ?? 0) + 1);
      const { rank } = known;
      gaps.push({ position: filled, node: { ...one, ...(role === 'input' ? known : { rank }) } });
    });
    gaps.forEach(({ position, node }, inserted) => this.insert(position + inserted, node));
  }

  /** Merges the base: items that no response accounts for keep their place there. */
  mergeBase(base: readonly ItemOccurrence[]): void {
    const matches = this.match(base);
    const spare = new Map<number, TimelineNode[]>();
    const taken = new Set(matches);
    for (const node of this.nodes) {
      if (!taken.has(node)) spare.set(node.key, [...(spare.get(node.key) ?? []), node]);
    }
    let before: TimelineNode | undefined;
    base.forEach(({ id, key }, position) => {
      // The same item out of order, before an equal one.
      const node = matches[position] ?? this.#pinned(id, taken) ?? spare.get(key)?.shift();
      if (node !== undefined) {
        taken.add(node);
        node.base = position;
        this.#identify(node, id);
        if (matches[position] !== undefined) before = node;
        return;
      }
      before = this.insert(this.#endOfTurn(before, taken), { key, id, base: position });
    });
  }

  /** The node of an ID, unless it is taken. */
  #pinned(id: string, taken: ReadonlySet<TimelineNode | undefined>): TimelineNode | undefined {
    const node = this.known(id);
    return node === undefined || taken.has(node) ? undefined : node;
  }

  #identify(node: TimelineNode, id: string): void {
    node.id = id;
    this.#byId.set(id, node);
  }

  /** The end of a node's turn, over nodes that responses show and the base does not. */
  #endOfTurn(before: TimelineNode | undefined, taken: ReadonlySet<TimelineNode | undefined>): number {
    if (before === undefined) return 0;
    let at = this.nodes.indexOf(before) + 1;
    if (before.producedBy === undefined && before.firstGivenTo === undefined) return at;
    for (let next = this.nodes[at]; next !== undefined; next = this.nodes[at]) {
      const isShown = !taken.has(next) && (next.producedBy ?? next.firstGivenTo) !== undefined;
      const { role, kind } = this.#itemIndex.facts(next.key);
      if (!isShown || (role === 'input' && kind.startsWith('message:'))) break;
      at += 1;
    }
    return at;
  }

  /** Reasoning comes back under other IDs and has no digest: reasoning at this place is the same. */
  #hasReasoning(before: number, after: number): boolean {
    return [this.nodes[before + 1], this.nodes[after - 1]].some(
      (node) => node !== undefined && this.#itemIndex.facts(node.key).role === 'reasoning',
    );
  }
}

/** The items of an input. */
export function occurrencesOf({ keys, ids }: ResponseInput): Seen[] {
  return Array.from(keys, (key, at) => ({ id: ids[at], key }));
}
