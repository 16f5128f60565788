import type { TimelineItem } from '../diagnosis.ts';
import { isLost, itemRow } from './item-row.ts';

/** With more items, a browser draws only the visible ones. */
const LONG = 400;

/** The conversation turn by turn, in two lanes: the list and the history. */
export function* timelineSection(items: readonly TimelineItem[], content: boolean): Generator<string> {
  const look = items.length > LONG ? ' class="long"' : '';
  yield `<section${look} aria-labelledby="timeline"><h2 id="timeline" tabindex="-1">Timeline</h2>\n`;
  if (items.length === 0) yield '<p>No item is known to belong to this conversation.</p>';
  else yield '<div class="lanes" aria-hidden="true"><span>List</span><span>History</span></div>\n';
  const nextLost = lostBehind(items);
  let from = 0;
  while (from < items.length) {
    const turn = items[from]?.turn ?? 0;
    let to = from;
    while (to < items.length && items[to]?.turn === turn) to += 1;
    const members = items.slice(from, to);
    const lost = members.filter((item) => isLost(item)).length;
    yield (
      `<section class="turn" aria-labelledby="turn-${from}"><div class="head"><h3 id="turn-${from}">Turn ${turn}</h3>` +
        `<p>${counted(members.length)}${lost === 0 ? '' : `, ${lost.toLocaleString('en')} lost`}</p></div>\n<ol class="items">\n`
    );
    for (const [at, item] of members.entries())
      yield itemRow(item, { content, nextLost: nextLost[from + at] });
    yield '</ol></section>\n';
    from = to;
  }
  yield '</section>\n';
}

function counted(count: number): string {
  return count === 1 ? '1 item' : `${count.toLocaleString('en')} items`;
}

/** For each item the next lost item. */
function lostBehind(items: readonly TimelineItem[]): (TimelineItem | undefined)[] {
  const next: (TimelineItem | undefined)[] = [];
  let known: TimelineItem | undefined;
  for (let at = items.length - 1; at >= 0; at -= 1) {
    next[at] = known;
    const item = items[at];
    if (item !== undefined && isLost(item)) known = item;
  }
  return next;
}
