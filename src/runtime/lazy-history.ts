import type { AgentInputItem } from '@openai/agents';
import { HistoryReferenceError, InvalidItemError } from '../errors/session.ts';
import { type LedgerEntry, type LedgerState } from '../ledger/state.ts';
import { compactedItems, seenDigest, seenHistory, seenLength, statesBeforeViews } from '../ledger/view.ts';
import {
  historyReferenceOf,
  type HistoryReference,
  type HistoryReferences,
  type FullHistoryReason,
} from '../chaining/history-reference.ts';
import { clock } from '../util/clock.ts';
import { copyJson } from '../util/copy-json.ts';
import { hasMismatchedId, withoutMismatchedId } from '../history/mismatched-id.ts';
import { forecast } from './forecast.ts';
import type { ResolvedOptions } from './options.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { Telemetry } from '../telemetry/span.ts';
import type { OpenSession } from './read.ts';
import type { TurnTracker } from './turn.ts';

/** The parts of a session that its lazy history uses. */
interface HistoryOwner {
  readonly sessionId: string | undefined;
  readonly telemetry: Telemetry;
  readonly turn: TurnTracker;
  run<T>(
    operation: (open: OpenSession, mode: Mode) => Promise<T>,
    options?: { readonly begins?: boolean },
  ): Promise<T>;
  /** @returns whether the history has changed. */
  prepareHistory(open: OpenSession, mode: Mode, state: LedgerState): Promise<boolean>;
  /** @returns undefined for an item that a request must omit. */
  forNextModel(item: AgentInputItem, unreplayable: ReadonlySet<string>): AgentInputItem | undefined;
}

interface ReferencedHistory {
  readonly compacted: readonly AgentInputItem[];
  readonly entries: readonly LedgerEntry[];
}

/** Replaces the history by a small reference item if the newest response has the whole history as its context. */
export class LazyHistory implements HistoryReferences {
  readonly #owner: HistoryOwner;
  readonly #options: Pick<ResolvedOptions, 'compare' | 'responseTtl'>;

  constructor(owner: HistoryOwner, options: Pick<ResolvedOptions, 'compare' | 'responseTtl'>) {
    this.#owner = owner;
    this.#options = options;
  }

  async reference(): Promise<HistoryReference | FullHistoryReason> {
    if (this.#options.compare === 'on-read') return 'compare_on_read';
    return this.#owner.telemetry.run('read', (span) =>
      this.#owner.run(
        async (open, mode) => {
          const { sessionId, ledger } = open;
          span.setAttributes({ sessionId, mode });
          if (!rulesOf(mode).chains) return 'mode';
          let state = await ledger.read({ scope: 'tail', fresh: true });
          if (await this.#owner.prepareHistory(open, mode, state))
            state = await ledger.read({ scope: 'tail' });
          const newest = state.responses.at(-1);
          const { responseTtl } = this.#options;
          const outlook = forecast(state, { now: clock.now(), responseTtl, isWhole: true });
          if (outlook.reason !== 'extends') return outlook.reason;
          if (newest?.context === undefined) return 'no_parent';
          const digest = seenDigest(state);
          // The response has a record at this length, but its context differs from the history.
          if (newest.context.digest !== digest) return 'diverged';
          if ((newest.context.open ?? []).length > 0) return 'unanswered_tool_call';
          const length = seenLength(state);
          const whole = { lost: undefined, isPart: false, isRun: true, served: length, length, bytes: 0 };
          this.#owner.turn.began({ mode, isRead: true, forecast: outlook, ...whole });
          span.setAttributes({ served: 'reference', items: 1 });
          return { sessionId, version: state.version, length, digest };
        },
        { begins: true },
      ),
    );
  }

  expand(reference: HistoryReference): Promise<AgentInputItem[]> {
    return this.#owner.telemetry.run('read', (span) =>
      this.#owner.run(async (open, mode) => {
        const { sessionId } = open;
        span.setAttributes({ sessionId, mode, served: 'ledger', reason: 'reference' });
        if (reference.sessionId !== sessionId)
          throw new HistoryReferenceError(reference.sessionId, 'no_session');
        const { compacted, entries } = await historyAt(open, reference);
        const { state, restored } = await open.history.contents(() => entries);
        const left = open.history.unreplayable(state, restored);
        const shown = restored.flatMap(
          ({ entry, item }) =>
            (item !== undefined && hasMismatchedId(entry) ? withoutMismatchedId(item) : item) ?? [],
        );
        const items = [...compacted, ...shown].flatMap((item) => this.#owner.forNextModel(item, left) ?? []);
        span.setAttributes({ items: items.length });
        return copyJson(items) as AgentInputItem[];
      }),
    );
  }

  reportFullHistory(reason: FullHistoryReason): void {
    const { sessionId = '', telemetry } = this.#owner;
    telemetry.warningsOf(sessionId)({ code: 'full_history', reason });
  }
}

/** @throws InvalidItemError for a reference item: a stored one would be meaningless to other clients. */
export function refuseHistoryReferences(items: readonly AgentInputItem[]): void {
  const index = items.findIndex((item) => historyReferenceOf(item) !== undefined);
  if (index !== -1) throw new InvalidItemError(index, 'it is a history reference, which cannot be stored');
}

/** Finds the referenced history: in the current one, before a compaction, or in the version that the reference names. */
async function historyAt({ ledger }: OpenSession, reference: HistoryReference): Promise<ReferencedHistory> {
  const newest = await ledger.read({ fresh: true });
  const found = foundIn(newest, reference) ?? foundIn(await ledger.readAt(reference.version), reference);
  if (found === undefined) throw new HistoryReferenceError(reference.sessionId, 'gone');
  return found;
}

function foundIn(newest: LedgerState, reference: HistoryReference): ReferencedHistory | undefined {
  for (const state of statesBeforeViews(newest)) {
    const { before, entries, contextAt } = seenHistory(state);
    const count = reference.length - before;
    if (count >= 0 && count <= entries.length && contextAt(count) === reference.digest)
      return { compacted: compactedItems(state), entries: entries.slice(0, count) };
  }
  return undefined;
}
