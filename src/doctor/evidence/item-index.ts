import { createHash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import type { ApiItem } from '../../conversation/items.ts';
import type { ItemConverter } from '../../items/item-converter.ts';
import { itemDigest } from '../../items/digest.ts';
import { itemType } from '../../items/item-types.ts';
import { kindOf, roleOfKind, roleOfType, type ItemRole } from '../../items/read-item.ts';
import { textOf } from '../../util/json.ts';

/** The facts of all items with the same content for a model. */
export interface ItemFacts {
  readonly digest: string | null;
  readonly kind: string;
  readonly role: ItemRole;
  /** The first ID seen; empty when it has none. */
  readonly id: string;
  /** The ID that links a call and its result. */
  readonly callId: string;
  /** One of these items, if the index keeps content. */
  readonly item: AgentInputItem | undefined;
}

/** An item seen in a list, a ledger or a response: its ID, and its content as a key of the index. */
export interface ItemOccurrence {
  readonly id: string;
  readonly key: number;
}

/** An item of a ledger. */
export interface KnownItem {
  readonly digest: string | null;
  readonly kind: string;
  readonly item: AgentInputItem | undefined;
}

/**
 * Every distinct item, once.
 *
 * A long conversation that is replayed in every turn repeats its items, so an occurrence holds only a number.
 */
export class ItemIndex {
  readonly #converter: ItemConverter;
  readonly #keepContent: boolean;
  readonly #facts: ItemFacts[] = [];
  readonly #keys = new Map<string, number>();
  /** By the hash of an item as the API gave it: converting costs far more than hashing. */
  readonly #known = new Map<string, number>();

  constructor(converter: ItemConverter, keepContent: boolean) {
    this.#converter = converter;
    this.#keepContent = keepContent;
  }

  /** The facts of a key. */
  facts(key: number): ItemFacts {
    const facts = this.#facts[key];
    if (facts === undefined) throw new RangeError(`The index has no item ${key}`);
    return facts;
  }

  /** Adds items of the API, in order. */
  async add(items: readonly ApiItem[]): Promise<ItemOccurrence[]> {
    const hashes = items.map((item) => hashOf(item));
    const news = new Map<string, ApiItem>();
    items.forEach((item, index) => {
      const hash = hashes[index] ?? '';
      if (!this.#known.has(hash) && !news.has(hash)) news.set(hash, item);
    });
    const raw = [...news.values()];
    const converted = await this.#converter.toAgentItems(raw);
    for (const [index, [hash, item]] of [...news].entries()) {
      const agentItem = converted[index];
      if (agentItem !== undefined) this.#known.set(hash, this.#enter(agentItem, item));
    }
    return items.map(({ id }, index) => ({ id, key: this.#known.get(hashes[index] ?? '') ?? -1 }));
  }

  /** Adds an item of a ledger, which may hold no content. */
  addEntry({ digest, kind, item }: KnownItem, id: string): ItemOccurrence {
    const callId = item === undefined ? '' : textOf(Reflect.get(item, 'callId'));
    const facts = {
      digest,
      kind,
      id,
      role: roleOfKind(kind),
      callId,
      item: this.#keepContent ? item : undefined,
    };
    return { id, key: this.#add(digest ?? `id ${id}`, facts) };
  }

  /** The key of an item by its digest; reasoning is found by its ID. */
  find(digest: string | null, id: string | undefined): number | undefined {
    return this.#keys.get(digest ?? `id ${id ?? ''}`);
  }

  #enter(item: AgentInputItem, raw: ApiItem): number {
    const digest = itemDigest(item);
    const { id } = raw;
    const facts: ItemFacts = {
      digest,
      kind: kindOf(item),
      id,
      role: roleOfType(raw.type, raw['role']),
      callId: callOf(raw),
      item: this.#keepContent ? item : undefined,
    };
    const key = this.#add(digest ?? `id ${id}`, facts);
    // A ledger without content added only the digest.
    if (this.#keepContent && this.facts(key).item === undefined) this.#facts[key] = facts;
    return key;
  }

  #add(name: string, facts: ItemFacts): number {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    this.#keys.set(name, this.#facts.length);
    return this.#facts.push(facts) - 1;
  }
}

function hashOf(item: ApiItem): string {
  const { id, status: _status, ...rest } = item;
  const json = JSON.stringify(itemType(item.type).isPlain ? rest : { ...rest, id });
  return createHash('sha1').update(json).digest('base64');
}

function callOf(item: ApiItem): string {
  return textOf(item[itemType(item.type).callIdField ?? 'call_id']);
}
