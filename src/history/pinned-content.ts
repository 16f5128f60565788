import type { AgentInputItem } from '@openai/agents';

interface Pin {
  readonly owner: object;
  readonly item: AgentInputItem;
  isSettled: boolean;
}

/** Content that nothing but this process holds yet, by what it is known by; shared by all who read one conversation. */
export class PinnedContent {
  readonly #pins = new Map<string, Pin[]>();

  /** @returns what makes it possible to release it: until it is called, the content is not in the ledger yet. */
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
   * Lets go of the owner's content that is no longer needed.
   *
   * @param needed the keys of what is nowhere else yet, as far as the owner knows: others know better about their own.
   * @param released is told of each that goes.
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
