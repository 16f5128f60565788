import { createHash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import type { ApiItem } from '../history/conversation-list.ts';
import type { ItemConverter } from '../history/item-converter.ts';
import { kindOf } from '../ledger/canonical-form.ts';
import { itemDigest } from '../ledger/digest.ts';
import { textOf } from '../ledger/json.ts';

/** Whether an item was given to a model or made by one; reasoning is neither: no digest covers it. */
export type ItemRole = 'input' | 'output' | 'reasoning';

/** What is known of all items of which a model reads the same. */
export interface ItemFacts {
  readonly digest: string | null;
  readonly kind: string;
  readonly role: ItemRole;
  /** The ID under which it was seen first; empty when it has none. */
  readonly id: string;
  /** What ties a call and its result together. */
  readonly callId: string;
  /** One of them, where the book keeps content. */
  readonly item: AgentInputItem | undefined;
}

/** An item that was seen somewhere: under this ID, and what a model reads of it as a number of the book. */
export interface Sighting {
  readonly id: string;
  readonly key: number;
}

/** What a ledger knows of an item. */
export interface KnownItem {
  readonly digest: string | null;
  readonly kind: string;
  readonly item: AgentInputItem | undefined;
}

/** Items whose digest hangs on nothing but what is left when ID and status are taken away. */
const PLAIN: ReadonlySet<string> = new Set(['message', 'function_call', 'function_call_output']);

/**
 * Every different item that was seen, once.
 *
 * A long conversation that was replayed at every turn is seen many times over: what is kept of a sighting is a number.
 */
export class ItemBook {
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

  /** What is known under a number that this book gave out. */
  facts(key: number): ItemFacts {
    const facts = this.#facts[key];
    if (facts === undefined) throw new RangeError(`The book has no item ${key}`);
    return facts;
  }

  /** Notes items as the API gave them, in order. */
  async note(items: readonly ApiItem[]): Promise<Sighting[]> {
    const hashes = items.map((item) => hashOf(item));
    const news = new Map<string, ApiItem>();
    items.forEach((item, index) => {
      const hash = hashes[index] ?? '';
      if (!this.#known.has(hash)) news.set(hash, item);
    });
    const raw = [...news.values()];
    const converted = await this.#converter.toAgentItems(raw);
    for (const [index, [hash, item]] of [...news].entries()) {
      const agentItem = converted[index];
      if (agentItem !== undefined) this.#known.set(hash, this.#enter(agentItem, item));
    }
    return items.map(({ id }, index) => ({ id, key: this.#known.get(hashes[index] ?? '') ?? -1 }));
  }

  /** Notes an item of a ledger, which may hold no more of it than this. */
  noteEntry({ digest, kind, item }: KnownItem, id: string): Sighting {
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

  /** The number of an item, if one of which a model reads the same was seen; reasoning is known by its ID alone. */
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
      role: roleOf(raw),
      callId: callOf(raw),
      item: this.#keepContent ? item : undefined,
    };
    const key = this.#add(digest ?? `id ${id}`, facts);
    // Known so far by its digest alone, from a ledger without content.
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
  const json = JSON.stringify(PLAIN.has(item.type) ? rest : { ...rest, id });
  return createHash('sha1').update(json).digest('base64');
}

function callOf(item: ApiItem): string {
  return textOf(item['call_id']) || textOf(item['approval_request_id']);
}

function roleOf({ type, role }: ApiItem): ItemRole {
  if (type === 'reasoning') return 'reasoning';
  if (type === 'message') return role === 'assistant' ? 'output' : 'input';
  return isResult(type) ? 'input' : 'output';
}

function roleOfKind(kind: string): ItemRole {
  if (kind === 'reasoning') return 'reasoning';
  if (kind.startsWith('message:')) return kind === 'message:assistant' ? 'output' : 'input';
  return isResult(kind) ? 'input' : 'output';
}

function isResult(type: string): boolean {
  return /_(?:output|result|response)$/.test(type);
}
