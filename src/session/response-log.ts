import type OpenAI from 'openai';
import type { Ledger } from '../ledger/ledger.ts';
import { extendDigest } from '../ledger/digest.ts';
import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import { digestOf, type LedgerState, type RecordedResponse } from '../ledger/ledger-state.ts';
import type { AnchoredHistory } from '../model/anchor.ts';
import type { Answer, Chain, ChainView, Parent, PlannedRequest } from '../model/chain.ts';
import { claimAnswer } from '../model/unclaimed-answers.ts';
import type { Mode } from '../rollout/mode.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { Watch } from '../telemetry/telemetry.ts';

/** Answers of turns that have not ended yet; a turn has at most a few. */
const ANSWERS_KEPT = 1000;

/** What the log needs of its session. */
export interface ResponseLogOptions {
  readonly client: OpenAI | undefined;
  readonly responseTtl: number;
  readonly history: AnchoredHistory;
  readonly current: () => Promise<{
    readonly sessionId: string;
    readonly ledger: Ledger;
    readonly mode: Mode;
  }>;
  readonly emit: (event: HybridSessionEvent) => void;
  /** A decision begins that somebody may watch. */
  readonly watch: () => Watch;
  /** @returns what is to be told of it. */
  readonly planned: (planned: PlannedRequest) => PlannedRequest;
}

/**
 * The responses of a session: the ledger's, and those of the turn under way.
 *
 * An answer goes to the ledger when the runner says that its turn ended with it, together with the answers it grew from.
 * Answers of agents that were only used as tools never get there.
 */
export class ResponseLog implements Chain {
  readonly #options: ResponseLogOptions;
  /** The oldest first. */
  readonly #answers = new Map<string, Answer>();
  readonly #refused = new Set<string>();
  #sessionId = '';

  constructor(options: ResponseLogOptions) {
    this.#options = options;
  }

  get history(): AnchoredHistory {
    return this.#options.history;
  }

  get client(): OpenAI | undefined {
    return this.#options.client;
  }

  async view(depth: 'whole' | 'tip'): Promise<ChainView> {
    const { sessionId, ledger, mode } = await this.#options.current();
    this.#sessionId = sessionId;
    const state = await (depth === 'whole' ? ledger.state() : ledger.tip());
    this.#forgetEndedTurns(state);
    const fresh = new Map<string, Parent[]>();
    for (const answer of this.#answers.values()) {
      fresh.set(answer.context.digest, [answer, ...(fresh.get(answer.context.digest) ?? [])]);
    }
    return {
      enabled: mode === 'chain',
      empty: fresh.size === 0 && state.contexts.size === 0,
      now: Date.now(),
      responseTtl: this.#options.responseTtl,
      candidates: (digest) => [...(fresh.get(digest) ?? []), ...(state.contexts.get(digest) ?? [])],
      unrecorded: (digest) => (fresh.get(digest) ?? []).map(({ id }) => id),
      isRefused: (id) => this.#refused.has(id) || state.refused.has(id),
    };
  }

  answered(answer: Answer): void {
    this.#answers.set(answer.id, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_KEPT && oldest !== undefined) this.#answers.delete(oldest);
  }

  refused(id: string, why: string): void {
    this.#refused.add(id);
    this.#options.emit({ type: 'parent_refused', sessionId: this.#sessionId, parentId: id, reason: why });
  }

  planning(): (planned: PlannedRequest) => void {
    const { watch, planned, emit } = this.#options;
    const watching = watch();
    return (decided) => {
      const sessionId = this.#sessionId;
      const one = planned(decided);
      const { would, ...facts } = one;
      watching.note({ sessionId, ...facts, would: would?.plan, wouldReason: would?.reason });
      watching.end();
      emit({ type: 'planned', sessionId, ...one });
    };
  }

  /**
   * What the ledger has to learn together with items, where an answer of the turn under way ends the history that they make:
   * one append for both is one less, and no process dies between them.
   */
  stepsWith(items: readonly LedgerItem[], state: LedgerState, seen: RecordedResponse['seen']): LedgerStep[] {
    if (this.#answers.size === 0) return [];
    const end = items.reduce((context, { digest }) => extendDigest(context, digest), digestOf(state));
    const [answer, another] = [...this.#answers.values()].filter(
      ({ id, context }) => context.digest === end && !state.recorded.has(id),
    );
    // Two turns at once may say the same: which of them this is the runner will tell.
    if (answer === undefined || another !== undefined) return [];
    return this.steps(state, answer.id, answer.store, seen);
  }

  /** What the ledger has to learn when a turn ended with this response, whose model was shown this. */
  steps(
    state: LedgerState,
    id: string,
    store: boolean | undefined,
    seen?: RecordedResponse['seen'],
  ): LedgerStep[] {
    const known = state.recorded;
    const refused = [...this.#refused].filter((one) => !state.refused.has(one));
    const last = this.#answers.get(id) ?? this.#claim(id);
    const before = (last?.lineage ?? []).flatMap((one) => this.#answers.get(one) ?? []);
    const answers = [...before, ...(last === undefined ? [] : [last])].filter(
      (answer) => !known.has(answer.id),
    );
    const steps: LedgerStep[] = refused.map((one) => ({ type: 'refused', id: one }));
    for (const answer of answers) {
      steps.push({
        type: 'response',
        id: answer.id,
        store: answer.store,
        context: answer.context,
        ...(answer.model === undefined ? {} : { model: answer.model }),
        ...(answer.parent === undefined ? {} : { parent: answer.parent }),
        ...(seen === undefined || answer.id !== id ? {} : { seen }),
      });
    }
    // Without the model boundary only the ID is known: enough to read the turn back, not to continue from it.
    if (last === undefined && !known.has(id))
      steps.push({ type: 'response', id, store: store ?? true, ...(seen === undefined ? {} : { seen }) });
    return steps;
  }

  /** Forgets everything: the history begins anew. */
  clear(): void {
    this.#answers.clear();
    this.#refused.clear();
  }

  /** With an answer that the ledger holds a turn has ended; what was answered before that belongs to no turn any more. */
  #forgetEndedTurns(state: LedgerState): void {
    const ids = [...this.#answers.keys()];
    for (const id of ids.slice(0, ids.findLastIndex((one) => state.recorded.has(one)) + 1))
      this.#answers.delete(id);
  }

  #claim(id: string): Answer | undefined {
    const answer = claimAnswer(id);
    if (answer !== undefined) this.#answers.set(id, answer);
    return answer;
  }
}
