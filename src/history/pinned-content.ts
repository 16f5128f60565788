import type { AgentInputItem } from '@openai/agents';

interface Pin {
  readonly owner: object;
  readonly item: AgentInputItem;
  isSettled: boolean;
}

/** Content that only this process holds, by its key; all readers of one session share it. */
export class PinnedContent {
  readonly #pins = new Map<string, Pin[]>();

  /** @returns a function to call once the item is in the ledger: before that, the content cannot be released. */
  pin(owner: object, key: string, item: AgentInputItem): () => void {
    const pin: Pin = { owner, item, isSettled: false };
    const pins = this.#pins.get(key);
    if (pins === undefined) this.#pins.set(key, [pin]);
    else pins.push(pin);
    return () => {
      pin.isSettled = true;
    };
  }

  get(key: string): AgentInputItem | undefined {
    return this.#pins.get(key)?.[0]?.item;
  }

  /**
   * Releases the owner's content that is no longer needed.
   *
   * @param needed returns the keys of the owner's content that is stored nowhere else.
   * @param released receives each released item.
   */
  release(
    owner: object,
    needed: () => ReadonlySet<string>,
    released: (key: string, item: AgentInputItem) => void,
  ): void {
    if (this.#pins.size === 0) return;
    const keys = needed();
    for (const [key, pins] of this.#pins) {
      const stays = (pin: Pin): boolean => pin.owner !== owner || !pin.isSettled || keys.has(key);
      const kept = pins.filter((pin) => stays(pin));
      for (const pin of pins) if (!stays(pin)) released(key, pin.item);
      if (kept.length === 0) this.#pins.delete(key);
      else this.#pins.set(key, kept);
    }
  }
}
