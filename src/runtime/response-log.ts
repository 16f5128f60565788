import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import type { Ledger } from '../ledger/ledger.ts';
import type { AnswerFacts, LedgerItem, LedgerStep } from '../ledger/record.ts';
import { EMPTY_DIGEST, itemDigest } from '../items/digest.ts';
import { isCallKind, isResultKind, kindOf } from '../items/read-item.ts';
import type { LedgerEntry, LedgerState, RecordedResponse } from '../ledger/state.ts';
import {
  compactedBeginning,
  contextAfter,
  replacedContexts,
  seenDigest,
  seenHistory,
  seenLength,
  statesBeforeViews,
} from '../ledger/view.ts';
import { toReplayInput } from '../items/model-input.ts';
import type { HistoryReferences } from '../chaining/history-reference.ts';
import type {
  CompletedResponse,
  ChainingPort,
  ChainView,
  ModelWarning,
  Parent,
  PlannedRequest,
  ReplacedHistory,
} from '../chaining/port.ts';
import { takeUnattributedResponse } from '../chaining/attribution.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { Telemetry } from '../telemetry/span.ts';
import { clock } from '../util/clock.ts';
import type { Compactor } from './compaction/compactor.ts';
import type { ResolvedOptions } from './options.ts';
import type { TurnTracker } from './turn.ts';

type DigestedItem = Pick<LedgerItem, 'kind' | 'digest'>;

/** The items of a compacted turn that the SDK's runner does not save. */
interface UnsavedItems {
  readonly items: readonly AgentInputItem[];
  /** Whether the history has items by now for which the compaction does not stand. */
  readonly isBehind: boolean;
}

/** Responses of unfinished turns. A turn has a few at most. */
const MAX_COMPLETED = 1000;

/** The parts of a session that its responses use. */
export interface ResponseOwner {
  readonly options: Pick<ResolvedOptions, 'client' | 'responseTtl' | 'history'>;
  readonly telemetry: Telemetry;
  readonly turn: Pick<TurnTracker, 'planned'>;
  readonly compactor: Pick<Compactor, 'forRequest' | 'uncompact'>;
  /** The session and its mode at a request to the model. */
  atRequest(): Promise<{ readonly sessionId: string; readonly ledger: Ledger; readonly mode: Mode }>;
}

/**
 * The responses of a session: the ledger's, and those of the turn under way.
 *
 * The ledger gets a response when the runner names it as the last one of its turn, together with the earlier responses of
 * its lineage. Responses of agents that are used as tools are never recorded.
 */
export class ResponseLog implements ChainingPort {
  readonly history: HistoryReferences;
  readonly #owner: ResponseOwner;
  /** Responses of unfinished turns by ID, oldest first. */
  readonly #completed = new Map<string, CompletedResponse>();
  /** IDs of responses that the server refuses to continue from, and keys of items that it refuses as input. */
  readonly #refused = new Set<string>();
  /** Compacted histories that runs of this process may still hold, and that their model could not read. */
  readonly #uncompacted: ReplacedHistory[] = [];
  #sessionId = '';

  constructor(owner: ResponseOwner, history: HistoryReferences) {
    this.#owner = owner;
    this.history = history;
  }

  get client(): OpenAI | undefined {
    return this.#owner.options.client;
  }

  async view(scope: 'newest' | 'all' | 'tail'): Promise<ChainView> {
    const { sessionId, ledger, mode } = await this.#owner.atRequest();
    this.#sessionId = sessionId;
    const state = await ledger.read(
      scope === 'newest' ? { fresh: true } : { scope: scope === 'tail' ? 'tail' : 'seen' },
    );
    this.#refuseReused(state);
    this.#forgetEndedTurns(state);
    const fresh = new Map<string, Parent[]>();
    for (const response of this.#completed.values()) {
      fresh.set(response.context.digest, [response, ...(fresh.get(response.context.digest) ?? [])]);
    }
    return {
      enabled: rulesOf(mode).chains,
      isStock: rulesOf(mode).serves === 'list',
      empty: fresh.size === 0 && state.contexts.size === 0,
      now: clock.now(),
      responseTtl: this.#owner.options.responseTtl,
      newest: state.responses.at(-1)?.context,
      candidates: (digest) => [...(fresh.get(digest) ?? []), ...(state.contexts.get(digest) ?? [])],
      unrecorded: (digest) => (fresh.get(digest) ?? []).map(({ id }) => id),
      isRefused: (id) => this.#refused.has(id) || state.refused.has(id),
      compacted: compactedBeginning(state).map((item) => toReplayInput(item)),
      replaced: () => [...replacedIn(state), ...this.#uncompacted],
      isReplaced: (digest) => isReplacedIn(state, digest),
      serverThreshold: this.#owner.options.history.compaction?.serverThreshold,
    };
  }

  compact(): Promise<boolean> {
    return this.#owner.compactor.forRequest();
  }

  async uncompact(): Promise<boolean> {
    const replaced = await this.#owner.compactor.uncompact();
    this.#uncompacted.push(...replaced);
    return replaced.length > 0;
  }

  /** The tokens of a response of this process and of its request, if the server counts them. */
  tokensOf(id: string): number | undefined {
    const { usage } = this.#completed.get(id) ?? {};
    return usage && usage.input + usage.output;
  }

  answered(response: CompletedResponse): void {
    const before = this.#completed.get(response.id)?.context ?? response.context;
    if (before.digest !== response.context.digest) this.#refused.add(response.id);
    this.#completed.set(response.id, response);
    const [oldest] = this.#completed.keys();
    if (this.#completed.size > MAX_COMPLETED && oldest !== undefined) this.#completed.delete(oldest);
  }

  refused(id: string, why: string, isForGood: boolean): void {
    if (isForGood) this.#refused.add(id);
    this.warn({ code: 'parent_refused', ids: [id], reason: why });
  }

  lost(keys: readonly string[]): void {
    for (const key of keys) this.#refused.add(key);
  }

  warn(warning: ModelWarning): void {
    this.#owner.telemetry.warningsOf(this.#sessionId)(warning);
  }

  planning(): (planned: PlannedRequest) => void {
    const { telemetry, turn } = this.#owner;
    const span = telemetry.begin('plan');
    return (decided) => {
      const sessionId = this.#sessionId;
      const { shadowPlan, ...facts } = turn.planned(decided);
      span.setAttributes({
        sessionId,
        ...facts,
        shadowPlan: shadowPlan?.plan,
        shadowReason: shadowPlan?.reason,
        shadowSent: shadowPlan?.sent,
        shadowSavedBytes: shadowPlan?.savedBytes,
      });
      span.end();
    };
  }

  /**
   * Records the response in the same append as the items it produced, so that a crash cannot separate them.
   *
   * @returns no steps if no response of the turn, or more than one, has a context that ends with these items.
   */
  stepsWith(items: readonly LedgerItem[], state: LedgerState, seen: RecordedResponse['seen']): LedgerStep[] {
    if (this.#completed.size === 0) return [];
    const end = contextAfter(seenDigest(state), items);
    const [response, other] = [...this.#completed.values()].filter(
      ({ id, context }) => context.digest === end && !state.recorded.has(id),
    );
    // Two simultaneous turns may have equal contexts; the runner names the response later.
    if (response === undefined || other !== undefined) return [];
    return this.steps(state, response.id, response.store, seen);
  }

  /**
   * The items of a turn that the SDK's runner does not save, because a response of the turn holds a compaction.
   *
   * @param items the appended items.
   * @param isFirst whether the turn has read an empty history, so that its input is all new.
   * @returns undefined if no response of this process holds the compaction, or its history is unknown.
   */
  unsaved(items: readonly DigestedItem[], state: LedgerState, isFirst: boolean): UnsavedItems | undefined {
    const compacting = this.#compacting(items, state);
    if (compacting === undefined) return undefined;
    const { items: sent, contexts } = compacting;
    // An earlier response of the same turn held a compaction, too.
    const facts = sent.map((item) => ({ kind: kindOf(item), digest: itemDigest(item) }));
    const before = this.unsaved(facts, state, isFirst);
    if (before !== undefined) return { ...before, items: [...before.items, ...sent] };
    const known = knownContexts(state);
    // The empty context is the beginning of all others.
    if (!isFirst && seenLength(state) > 0) known.delete(EMPTY_DIGEST);
    const length = contexts.findLastIndex((context) => known.has(context));
    const beginning = known.get(contexts[length] ?? '');
    if (beginning === undefined) return undefined;
    const { count, seqs } = withoutTornCalls(beginning, facts.slice(length));
    const { entries } = seenHistory(state);
    return { items: sent.slice(length + count), isBehind: entries.some(({ seq }) => !seqs.has(seq)) };
  }

  /** The request of the response whose output these items begin with, if that is a compaction. */
  #compacting(items: readonly DigestedItem[], state: LedgerState): CompletedResponse['compacting'] {
    if (items[0]?.kind !== 'compaction') return undefined;
    const ends = new Set(items.map((_, index) => contextAfter('', items.slice(0, index + 1))));
    return [...this.#completed.values()].find(
      ({ id, context, compacting }) =>
        compacting !== undefined && ends.has(context.digest) && !state.recorded.has(id),
    )?.compacting;
  }

  /** Records the response that ended a turn, the unrecorded responses before it, and new refusals. */
  steps(
    state: LedgerState,
    id: string,
    store: boolean | undefined,
    seen?: RecordedResponse['seen'],
  ): LedgerStep[] {
    this.#refuseReused(state);
    const known = state.recorded;
    const refused = [...this.#refused].filter((key) => !state.refused.has(key));
    const last = this.#completed.get(id) ?? this.#claim(id);
    const before = (last?.lineage ?? []).flatMap((earlier) => this.#completed.get(earlier) ?? []);
    const unrecorded = [...before, ...(last === undefined ? [] : [last])].filter(
      (response) => !known.has(response.id),
    );
    const steps: LedgerStep[] = refused.map((key) => ({ type: 'refused', id: key }));
    for (const response of unrecorded) {
      steps.push({
        type: 'response',
        id: response.id,
        store: response.store,
        context: response.context,
        ...(response.model === undefined ? {} : { model: response.model }),
        ...(response.parent === undefined ? {} : { parent: response.parent }),
        ...factsOf(response),
        ...(seen === undefined || response.id !== id ? {} : { seen }),
      });
    }
    // Without the model boundary only the ID is known. It suffices to read the turn back, but not to continue from it.
    if (last === undefined && !known.has(id))
      steps.push({ type: 'response', id, store: store ?? true, ...(seen === undefined ? {} : { seen }) });
    return steps;
  }

  clear(): void {
    this.#completed.clear();
    this.#refused.clear();
    this.#uncompacted.length = 0;
  }

  /** Refuses responses whose ID the ledger knows for another context: the server may continue from either. */
  #refuseReused({ recorded, responses }: LedgerState): void {
    for (const { id, context } of this.#completed.values()) {
      const known = recorded.has(id) ? responses.findLast((one) => one.id === id)?.context : undefined;
      if (known !== undefined && known.digest !== context.digest) this.#refused.add(id);
    }
  }

  /** A recorded response ends its turn, so it and all earlier responses are dropped. */
  #forgetEndedTurns(state: LedgerState): void {
    const ids = [...this.#completed.keys()];
    for (const id of ids.slice(0, ids.findLastIndex((id) => state.recorded.has(id)) + 1))
      this.#completed.delete(id);
  }

  #claim(id: string): CompletedResponse | undefined {
    const response = takeUnattributedResponse(id);
    if (response !== undefined) this.#completed.set(id, response);
    return response;
  }
}

/** The facts about a response for its record. */
function factsOf({ agent, plan, usage }: CompletedResponse): AnswerFacts {
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(plan === undefined ? {} : { plan }),
    ...(usage === undefined ? {} : { usage: { ...usage } }),
  };
}

/** The beginning of a history: the entries of that history, and the number of entries in the beginning. */
interface Beginning {
  readonly entries: readonly LedgerEntry[];
  readonly length: number;
}

/** The contexts that requests saw so far, by digest. */
function knownContexts(state: LedgerState): Map<string, Beginning> {
  const known = new Map<string, Beginning>();
  for (const before of statesBeforeViews(state).toReversed()) {
    const { entries } = seenHistory(before);
    for (const [length, digest] of contextsOf(before).entries()) known.set(digest, { entries, length });
  }
  return known;
}

/**
 * Compares the items of a request with the history behind a beginning. A request leaves out calls and results without each other.
 *
 * @returns the number of items that the history has, and the sequence numbers of the history up to them.
 */
function withoutTornCalls(
  { entries, length }: Beginning,
  items: readonly DigestedItem[],
): { readonly count: number; readonly seqs: ReadonlySet<number> } {
  // No digest covers reasoning.
  const covered = items.flatMap(({ digest }, index) => (digest === null ? [] : [{ digest, index }]));
  let next = 0;
  const other = entries.slice(length).findIndex(({ kind, digest }) => {
    if (digest === null) return false;
    const isSent = covered[next]?.digest === digest;
    if (isSent) next += 1;
    return !isSent && !isCallKind(kind) && !isResultKind(kind);
  });
  const count = (covered[next - 1]?.index ?? -1) + 1;
  const end = other === -1 ? entries.length : length + other;
  return { count, seqs: new Set(entries.slice(0, end).map(({ seq }) => seq)) };
}

/** The digests of the context with the first 0, 1, 2, ... items of the history. */
function contextsOf(state: LedgerState): string[] {
  const { entries, contextAt } = seenHistory(state);
  return Array.from({ length: entries.length + 1 }, (_, count) => contextAt(count));
}

function replacedIn(state: LedgerState): ReplacedHistory[] {
  return replacedContexts(state).map(({ digest, items }) => ({
    digest,
    items: items.map((item) => toReplayInput(item)),
  }));
}

/** Whether a model no longer sees the history with this context. False if the state lacks the entries of that history. */
function isReplacedIn(state: LedgerState, digest: string): boolean {
  if (state.views.length === 0 || state.resumedFrom !== undefined) return false;
  return !contextsOf(state).includes(digest);
}
