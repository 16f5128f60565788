import { NAMED_FIRST, NAMED_LAST, nameOf, quote } from './item-name.ts';
import { foldedItems, knownItems } from './summary.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { letterOf } from '../wire/outline.ts';

/**
 * Names the items in the model's context in one sentence, so that a lost turn can be read in the answer:
 * `Answer 3: I see 5 items (3u 2a): u "hi", a1, u "what can you do?", a2, u "thanks"`. The number is the user's turn,
 * those in a compaction included. An earlier answer is named by its number and never quoted, so answers do not grow with
 * each other.
 */
export function recite(context: readonly SimulatorItem[]): string {
  const { folded, later } = knownItems(context);
  const letters = [...folded.map((name) => name.charAt(0)), ...later.map(letterOf)];
  const turn = letters.filter((letter) => letter === 'u').length;
  return `Answer ${turn}: I see ${counted(context.length)}${counts(context)}: ${namedItems(context)}`;
}

function counted(items: number): string {
  return `${items} ${items === 1 ? 'item' : 'items'}`;
}

function counts(context: readonly SimulatorItem[]): string {
  const byLetter = new Map<string, number>();
  for (const item of context) byLetter.set(letterOf(item), (byLetter.get(letterOf(item)) ?? 0) + 1);
  return ` (${Array.from(byLetter, ([letter, count]) => `${count}${letter}`).join(' ')})`;
}

function namedItems(context: readonly SimulatorItem[]): string {
  if (context.length <= NAMED_FIRST + NAMED_LAST) return context.map(named).join(', ');
  const left = context.length - NAMED_FIRST - NAMED_LAST;
  const names = [
    context.slice(0, NAMED_FIRST).map(named),
    `… ${left} more …`,
    context.slice(-NAMED_LAST).map(named),
  ];
  return names.flat().join(', ');
}

function named(item: SimulatorItem): string {
  const folded = foldedItems(item);
  if (!folded) return nameOf(item);
  const letters = folded.map((name) => name.charAt(0)).join(',');
  return `x ${quote(`${counted(folded.length)}: ${letters}`)}`;
}
