import type { AgentInputItem } from '@openai/agents';
import type { ListedItem } from '../conversation/items.ts';
import type { ListComparison, Finding, FindingKind } from '../history/compare-list.ts';
import { restore } from '../history/restore.ts';
import { kindOf } from '../items/read-item.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';
import type { ContentSource, TimelineItemStatus, TimelineItem } from './diagnosis.ts';
import { shownId } from './reconstruct/synthetic-state.ts';

/** The input of a timeline. */
export interface TimelineOptions {
  readonly state: LedgerState;
  readonly list: readonly ListedItem[];
  readonly found: ListComparison;
  /** IDs of entries that the list shows and the ledger lacks. */
  readonly foreign: ReadonlySet<string>;
  /** The response that an entry belongs to. */
  readonly responseOf: (entry: LedgerEntry, index: number) => string | undefined;
  /** The sources of an entry other than ledger and list. */
  readonly sourcesOf: (entry: LedgerEntry, responseId: string | undefined) => readonly ContentSource[];
  /** An entry's content from other sources than ledger and list; undefined without the option `content`. */
  readonly contentOf: ((entry: LedgerEntry) => AgentInputItem | undefined) | undefined;
}

/** A timeline, and the findings with its positions. */
export interface Timeline {
  readonly items: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  /** The position in the history of each entry. */
  readonly indexes: readonly number[];
}

const SAID = /^message:(?:user|system|developer)$/;

interface Draft {
  /** Index of the entry itself, or of the entry behind it. */
  readonly order: number;
  readonly isEntry: boolean;
  readonly item: Omit<TimelineItem, 'index' | 'turn'>;
}

/** Every item of the conversation or of its list, in the order of the conversation. Pure. */
export function timelineOf(options: TimelineOptions): Timeline {
  const { found, foreign, state } = options;
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
    const isHistory = item.status !== 'removed';
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
  state.entries.forEach(({ mirrorId: id = '', kind }, at) => {
    if (foreign.has(id)) findings.push({ type: 'foreign', id, kind, index: indexes[at] ?? at });
  });
  return { items, findings: findings.toSorted((a, b) => a.index - b.index), indexes };
}

/** A message of a user or a caller begins a turn; inputs given to a model together are one turn. */
function beginsTurn(item: Draft['item'], before: TimelineItem | undefined): boolean {
  if (before === undefined) return true;
  if (!SAID.test(item.kind)) return false;
  if (!SAID.test(before.kind)) return true;
  const isTogether = item.responseId !== null && item.responseId === before.responseId;
  return before.kind === 'message:user' && !isTogether;
}

function entryDrafts(options: TimelineOptions): Draft[] {
  const { state, list, found, foreign, responseOf, sourcesOf, contentOf } = options;
  const acknowledged = new Map(found.acknowledged.map(({ seq, id }) => [seq, id]));
  const positions = positionsById(list);
  const findings = findingsByIndex(found.findings);
  const sharing = new Map<string, number>();
  for (const { mirrorId } of state.entries)
    if (mirrorId !== undefined) sharing.set(mirrorId, (sharing.get(mirrorId) ?? 0) + 1);
  return state.entries.map((entry, order): Draft => {
    const mirrorId = entry.mirrorId ?? acknowledged.get(entry.seq);
    const at = positionsOf(positions, sharing, mirrorId);
    const own: readonly FindingKind[] = [
      ...(findings.get(order) ?? []),
      ...(foreign.has(entry.mirrorId ?? '') ? ['foreign' as const] : []),
    ];
    const isAltered = own.includes('altered');
    const responseId = responseOf(entry, order);
    const sources: ContentSource[] = [
      ...(entry.item === undefined ? [] : [{ source: 'ledger' } as const]),
      ...(at.length === 0 || isAltered ? [] : [{ source: 'list' } as const]),
      ...sourcesOf(entry, responseId),
    ];
    const listed = isAltered ? undefined : list[at[0] ?? -1];
    const item = contentOf === undefined ? undefined : contentOfEntry(entry, mirrorId, listed, contentOf);
    return {
      order,
      isEntry: true,
      item: {
        id: shownId(mirrorId ?? entry.id),
        kind: entry.kind,
        status: statusOf(entry, mirrorId, at),
        positions: at,
        findings: own,
        responseId: responseId ?? null,
        sources,
        ...(item === undefined ? {} : { item }),
      },
    };
  });
}

/** Listed items outside the ledger: items of other writers, and removed items that are still listed. */
function strangerDrafts({ state, list, found, contentOf }: TimelineOptions): Draft[] {
  const positions = positionsById(list);
  const foreign = new Map(found.foreign.map((one) => [one.id, one]));
  const duplicated = new Set(found.findings.flatMap(({ type, id }) => (type === 'duplicated' ? [id] : [])));
  const held = new Map(state.entries.map(({ mirrorId }, index) => [mirrorId, index]));
  const acknowledged = new Set(found.acknowledged.map(({ id }) => id));
  let before = -1;
  return list.flatMap(({ id, item }, position): Draft[] => {
    before = held.get(id) ?? before;
    if (held.has(id) || acknowledged.has(id) || positions.get(id)?.[0] !== position) return [];
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
          status: own === undefined ? 'removed' : 'listed',
          positions: positions.get(id) ?? [],
          findings,
          responseId: null,
          sources: [{ source: 'list' }],
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

function statusOf(
  { mirrorId: recorded, skipped }: LedgerEntry,
  mirrorId: string | undefined,
  positions: readonly number[],
): TimelineItemStatus {
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

/** An item that was written twice has two entries: each gets one position, the last entry all remaining ones. */
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
