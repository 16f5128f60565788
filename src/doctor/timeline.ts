import type { AgentInputItem } from '@openai/agents';
import type { ListedItem } from '../history/listed-item.ts';
import type { Reconciliation } from '../history/reconcile.ts';
import type { Finding, FindingKind } from '../history/finding.ts';
import { restore } from '../history/restore.ts';
import { kindOf } from '../ledger/canonical-form.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { ItemPlace, ItemStanding, TimelineItem } from './diagnosis.ts';
import { shownId } from './supposed-state.ts';

/** What a timeline is made of. */
export interface TimelineOptions {
  readonly state: LedgerState;
  readonly list: readonly ListedItem[];
  readonly found: Reconciliation;
  /** The response that each entry belongs to. */
  readonly responseOf: (entry: LedgerEntry, index: number) => string | undefined;
  /** Where an entry can be read back from, apart from ledger and list. */
  readonly placesOf: (entry: LedgerEntry, responseId: string | undefined) => readonly ItemPlace[];
  /** An entry's content, apart from ledger and list; undefined when no content is wanted. */
  readonly contentOf: ((entry: LedgerEntry) => AgentInputItem | undefined) | undefined;
}

/** A timeline, and the findings with the positions that it has. */
export interface Timeline {
  readonly items: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  /** The position in the history of each entry. */
  readonly indexes: readonly number[];
}

const SAID = /^message:(?:user|system|developer)$/;

interface Draft {
  /** In the history: the entry that it is, or before which it stands. */
  readonly order: number;
  readonly isEntry: boolean;
  readonly item: Omit<TimelineItem, 'index' | 'turn'>;
}

/** Every item that belongs to the conversation or is in its list, in the order in which the conversation was. Pure. */
export function timelineOf(options: TimelineOptions): Timeline {
  const { found } = options;
  const drafts = [...entryDrafts(options), ...strangerDrafts(options)];
  const ordered = drafts
    .map((draft, at) => ({ ...draft, at }))
    .toSorted((a, b) => a.order - b.order || Number(a.isEntry) - Number(b.isEntry) || a.at - b.at);
  const items: TimelineItem[] = [];
  const strangers = new Map<string | null, number>();
  const indexes: number[] = [];
  let [index, turn] = [0, 0];
  for (const { isEntry, item } of ordered) {
    if (beginsTurn(item, items.at(-1))) turn += 1;
    const isHistory = item.standing !== 'removed';
    items.push({ index: isHistory ? index : null, turn, ...item });
    if (isEntry) indexes.push(index);
    else strangers.set(item.id, index);
    if (isHistory) index += 1;
  }
  const findings = found.findings.map((finding) => ({
    ...finding,
    id: shownId(finding.id) ?? '',
    index: strangers.get(finding.id) ?? indexes[finding.index] ?? finding.index,
  }));
  return { items, findings: findings.toSorted((a, b) => a.index - b.index), indexes };
}

/** With what a user or a caller says; what a model was given together is one turn. */
function beginsTurn(item: Draft['item'], before: TimelineItem | undefined): boolean {
  if (before === undefined) return true;
  if (!SAID.test(item.kind)) return false;
  if (!SAID.test(before.kind)) return true;
  const isTogether = item.responseId !== null && item.responseId === before.responseId;
  return before.kind === 'message:user' && !isTogether;
}

function entryDrafts(options: TimelineOptions): Draft[] {
  const { state, list, found, responseOf, placesOf, contentOf } = options;
  const relinked = new Map(found.relinked.map(({ seq, id }) => [seq, id]));
  const positions = positionsById(list);
  const findings = findingsByIndex(found.findings);
  const sharing = new Map<string, number>();
  for (const { mirrorId } of state.entries)
    if (mirrorId !== undefined) sharing.set(mirrorId, (sharing.get(mirrorId) ?? 0) + 1);
  return state.entries.map((entry, order): Draft => {
    const mirrorId = entry.mirrorId ?? relinked.get(entry.seq);
    const at = positionsOf(positions, sharing, mirrorId);
    const own = findings.get(order) ?? [];
    const isAltered = own.includes('altered');
    const responseId = responseOf(entry, order);
    const places: ItemPlace[] = [
      ...(entry.item === undefined ? [] : [{ source: 'ledger' } as const]),
      ...(at.length === 0 || isAltered ? [] : [{ source: 'list' } as const]),
      ...placesOf(entry, responseId),
    ];
    const listed = isAltered ? undefined : list[at[0] ?? -1];
    const item = contentOf === undefined ? undefined : contentOfEntry(entry, mirrorId, listed, contentOf);
    return {
      order,
      isEntry: true,
      item: {
        id: shownId(mirrorId ?? entry.id),
        kind: entry.kind,
        standing: standingOf(entry, mirrorId, at),
        positions: at,
        findings: own,
        responseId: responseId ?? null,
        places,
        ...(item === undefined ? {} : { item }),
      },
    };
  });
}

/** What the list shows beyond the history: what others wrote, and what was taken out and has to leave. */
function strangerDrafts({ state, list, found, contentOf }: TimelineOptions): Draft[] {
  const positions = positionsById(list);
  const foreign = new Map(found.foreign.map((one) => [one.id, one]));
  const duplicated = new Set(found.findings.flatMap(({ type, id }) => (type === 'duplicated' ? [id] : [])));
  const held = new Map(state.entries.map(({ mirrorId }, index) => [mirrorId, index]));
  const relinked = new Set(found.relinked.map(({ id }) => id));
  let before = -1;
  return list.flatMap(({ id, item }, position): Draft[] => {
    before = held.get(id) ?? before;
    if (held.has(id) || relinked.has(id) || positions.get(id)?.[0] !== position) return [];
    const own = foreign.get(id);
    const findings: FindingKind[] = own === undefined ? [] : ['foreign'];
    if (duplicated.has(id)) findings.push('duplicated');
    return [
      {
        order: own?.index ?? before + 1,
        isEntry: false,
        item: {
          id,
          kind: kindOf(item),
          standing: own === undefined ? 'removed' : 'listed',
          positions: positions.get(id) ?? [],
          findings,
          responseId: null,
          places: [{ source: 'list' }],
          ...(contentOf === undefined ? {} : { item }),
        },
      },
    ];
  });
}

function contentOfEntry(
  entry: LedgerEntry,
  mirrorId: string | undefined,
  listed: ListedItem | undefined,
  contentOf: (entry: LedgerEntry) => AgentInputItem | undefined,
): AgentInputItem | undefined {
  const known = { ...entry, mirrorId: shownId(mirrorId) ?? undefined };
  const find = (): AgentInputItem | undefined => listed?.item ?? contentOf(entry);
  return restore([known], [{ source: 'list', find }])[0]?.item;
}

function standingOf(
  { mirrorId: recorded, skipped }: LedgerEntry,
  mirrorId: string | undefined,
  positions: readonly number[],
): ItemStanding {
  if (positions.length > 0) return 'listed';
  if (skipped !== undefined) return 'local';
  return recorded === undefined && mirrorId === undefined ? 'pending' : 'lost';
}

function positionsById(list: readonly ListedItem[]): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  list.forEach(({ id }, position) => {
    const known = positions.get(id);
    if (known === undefined) positions.set(id, [position]);
    else known.push(position);
  });
  return positions;
}

/** An item that was written twice has two entries: each gets one position, the last all that is left. */
function positionsOf(
  positions: Map<string, number[]>,
  sharing: Map<string, number>,
  id: string | undefined,
): readonly number[] {
  if (id === undefined) return [];
  const left = positions.get(id) ?? [];
  const entries = sharing.get(id) ?? 1;
  sharing.set(id, entries - 1);
  return entries > 1 ? left.splice(0, 1) : left;
}

function findingsByIndex(findings: readonly Finding[]): Map<number, FindingKind[]> {
  const byIndex = new Map<number, FindingKind[]>();
  const foreign = new Set(findings.flatMap(({ type, id }) => (type === 'foreign' ? [id] : [])));
  for (const { type, index, id } of findings) {
    if (foreign.has(id)) continue;
    byIndex.set(index, [...(byIndex.get(index) ?? []), type]);
  }
  return byIndex;
}
