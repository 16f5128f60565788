import type { AgentInputItem } from '@openai/agents';
import { describedAll } from './described.ts';
import type { ArbitraryFault } from './fault-arbitrary.ts';

/** The possible faults of a list, after all changes to it. */
export interface ListDoubts {
  /** The items that it may lack: none, answers that the API unlinks, or any. */
  readonly lacks: 'nothing' | 'answers' | 'anything';
  /** Whether it may hold an item twice, or a removed one: a write without an answer may have taken effect. */
  readonly repeats: boolean;
  readonly reorders: boolean;
}

/** Gathers reasons to doubt a list; a fault that is over may have left something behind. */
export class DoubtfulList {
  readonly #unlinks: boolean;
  #isDamaged = false;
  #isHidden = false;
  #isUnseen = false;
  #isRepeated = false;
  #isReordered = false;

  constructor(unlinks: boolean) {
    this.#unlinks = unlinks;
  }

  fault({ operation, fault }: ArbitraryFault): void {
    this.#isDamaged = true;
    const isAny = operation === '*';
    if (isAny || operation === 'conversations.items.list') this.#isHidden = true;
    if (isAny || operation.startsWith('conversations.items.')) this.#isUnseen ||= !operation.endsWith('list');
    const name = 'name' in fault ? fault.name : undefined;
    this.#isRepeated ||= name === 'duplicated_items';
    this.#isReordered ||= name === 'reordered_items';
  }

  /** Another client deleted an item. */
  takeAway(): void {
    this.#isDamaged = true;
  }

  /** A process was left or killed, perhaps in the middle of a write. */
  forget(): void {
    this.#isUnseen = true;
  }

  /** Undefined when it can be believed. */
  get doubts(): ListDoubts | undefined {
    if (!this.#isDamaged && !this.#unlinks) return undefined;
    return {
      lacks: this.#isDamaged ? 'anything' : 'answers',
      repeats: this.#isRepeated || (this.#isHidden && this.#isUnseen),
      reorders: this.#isReordered || (this.#isHidden && this.#isUnseen),
    };
  }
}

/**
 * Whether items can be the list of this history.
 * @param told how many lost items the session reported; undefined if it reports none.
 */
export function canBeListed(
  items: readonly AgentInputItem[],
  served: readonly AgentInputItem[],
  { lacks, repeats, reorders }: ListDoubts,
  told: number | undefined,
): boolean {
  const [whole, shown] = [describedAll(items), describedAll(served)];
  const missing = items.filter((_, index) => !shown.includes(whole[index] ?? ''));
  if (told !== undefined && missing.length > told) return false;
  if (lacks !== 'anything' && !missing.every((item) => isAnswer(item))) return false;
  // The items of a write without an answer may stand anywhere.
  if (repeats) return true;
  if (reorders) return isPart(shown.toSorted(), whole.toSorted());
  return isPart(shown, whole);
}

function isAnswer(item: AgentInputItem): boolean {
  return 'role' in item && item.role === 'assistant';
}

/** Whether one is the other without some of it, in the same order. */
function isPart(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const one of whole) if (one === part[at]) at += 1;
  return at === part.length;
}
