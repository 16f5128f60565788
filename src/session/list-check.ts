import type { Finding } from '../history/finding.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ListedItem } from '../history/listed-item.ts';
import { reconcile, type Reconciliation } from '../history/reconcile.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/ledger-record.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { adoptionSteps } from './history-changes.ts';
import type { MirrorLine } from './mirror-line.ts';

type MirrorStep = Extract<LedgerStep, { type: 'mirror' }>;

/** What comparing the list with the ledger found, after the ledger took over what it lacked. */
export interface CheckedList {
  readonly list: readonly ListedItem[];
  readonly findings: readonly Finding[];
  readonly adopted: number;
  readonly unproven: boolean;
}

const NOTHING: Reconciliation = {
  findings: [],
  relinked: [],
  misplaced: [],
  dropped: [],
  strays: [],
  foreign: [],
};

/** Compares the conversation's list with the ledger and brings the ledger up to date with what the list has more. */
export class ListCheck {
  readonly #ledger: Ledger;
  readonly #reader: HistoryReader;
  readonly #keepContent: boolean;
  readonly #line: Pick<MirrorLine, 'tried'>;

  /** @param line what is known of writes without an answer. */
  constructor(ledger: Ledger, reader: HistoryReader, keepContent: boolean, line: Pick<MirrorLine, 'tried'>) {
    this.#ledger = ledger;
    this.#reader = reader;
    this.#keepContent = keepContent;
    this.#line = line;
  }

  /** Reads the list and takes it in. */
  async read(): Promise<CheckedList> {
    const checked = await this.#readOnce();
    // Only the newest items are missing: the list may lag behind. Ask once more before calling it a loss.
    return isLag(await this.#ledger.state(), checked.findings) ? this.#readOnce() : checked;
  }

  async #readOnce(): Promise<CheckedList> {
    const { version } = await this.#ledger.tip();
    const list = await this.#reader.list();
    const checked = await this.take(list, version);
    return checked.isStale ? this.#readOnce() : checked;
  }

  /**
   * Takes in a list that was read elsewhere: what was written unnoticed is linked, what others wrote is adopted.
   *
   * @param version the ledger's, before the list was read.
   */
  async take(list: readonly ListedItem[], version: number): Promise<CheckedList & { isStale: boolean }> {
    let isStale = false;
    let found = NOTHING;
    let unproven = false;
    let adopted = 0;
    await this.#ledger.refresh();
    // What another session has to write may be written by now.
    const isTried = ({ seq, commit }: LedgerEntry): boolean =>
      this.#line.tried.has(seq) || this.#ledger.originOf(commit) !== 'own';
    await this.#ledger.commit((state) => {
      [found, unproven, adopted] = [NOTHING, false, 0];
      // Forgotten since: somebody cleared the session, and what the list showed then is not adopted now.
      isStale = state.version === 0 && version > 0;
      // What is listed is on its way out together with its conversation.
      if (isStale || state.cleared) return [];
      found = reconcile(state, list, isTried);
      unproven = state.version === 0 && found.foreign.length > 0;
      const known: MirrorStep = {
        type: 'mirror',
        added: [...found.relinked, ...found.dropped],
        removed: [],
        surplus: [...found.misplaced],
        ...(found.strays.length === 0 ? {} : { strays: [...found.strays] }),
      };
      adopted = isUnfinished(state) ? 0 : found.foreign.length;
      if (isUnfinished(state)) return mirrored({ ...known, ...leftovers(state, found) });
      const { foreign } = found;
      const options = { keepContent: this.#keepContent, unproven };
      return [...mirrored(known), ...adoptionSteps(state, foreign, options)];
    });
    return { list, findings: found.findings, adopted, unproven, isStale };
  }
}

/** Whether the history is still being copied here: then nobody but the copying has anything to write. */
function isUnfinished({ move }: LedgerState): boolean {
  return move?.from !== undefined && move.whole !== true;
}

/** What a copy has no place for: written twice, or not what was to be linked. */
function leftovers(
  state: LedgerState,
  { foreign, misplaced }: Reconciliation,
): Pick<MirrorStep, 'surplus' | 'unlinked'> {
  const ids = new Set(foreign.map(({ id }) => id));
  const mistaken = [...state.unmirrored.values()].filter(({ link }) => link !== undefined && ids.has(link));
  return { surplus: [...misplaced, ...ids], unlinked: mistaken.map(({ seq }) => seq) };
}

function mirrored(step: MirrorStep): LedgerStep[] {
  const { added, surplus = [], strays = [] } = step;
  return added.length + surplus.length + strays.length === 0 ? [] : [step];
}

/** Whether everything that is lost stands together at the end of what the conversation should hold. */
function isLag(state: LedgerState, findings: readonly Finding[]): boolean {
  const lost = new Set(findings.filter(({ type }) => type === 'lost').map(({ id }) => id));
  if (lost.size === 0) return false;
  const mirrored = state.entries
    .filter(({ mirrorId }) => mirrorId !== undefined)
    .map(({ mirrorId }) => mirrorId ?? '');
  return mirrored.slice(-lost.size).every((id) => lost.has(id));
}
