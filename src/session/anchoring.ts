import type { AgentInputItem } from '@openai/agents';
import { HistoryAnchorError } from '../errors/history-anchor-error.ts';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { digestOf, lengthOf, type LedgerEntry } from '../ledger/ledger-state.ts';
import { anchorOf, type Anchor, type AnchoredHistory, type AnchorObstacle } from '../model/anchor.ts';
import { forModel } from '../model/for-model.ts';
import { forecast } from './forecast.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { OpenSession, SessionLife } from './session-life.ts';

/** Lets a small item stand for the history of a session where the newest response has seen all of it. */
export class Anchoring implements AnchoredHistory {
  readonly #life: SessionLife;
  readonly #options: Pick<ResolvedOptions, 'checkList' | 'responseTtl'>;

  constructor(life: SessionLife, options: Pick<ResolvedOptions, 'checkList' | 'responseTtl'>) {
    this.#life = life;
    this.#options = options;
  }

  async anchor(): Promise<Anchor | AnchorObstacle> {
    if (this.#options.checkList === 'every-read') return 'check-list';
    return this.#life.telemetry.run('read', (watch) =>
      this.#life.run(async ({ attachment, history }, mode) => {
        const { sessionId, ledger } = attachment;
        watch.note({ sessionId, mode });
        if (mode !== 'chain') return 'mode';
        const state = await ledger.refreshTip();
        const newest = state.responses.at(-1);
        const { responseTtl } = this.#options;
        const outlook = forecast(state, { now: Date.now(), responseTtl, isWhole: true });
        if (outlook.reason !== 'extends') return outlook.reason;
        if (newest?.context === undefined) return 'no-parent';
        // Recorded at the same length of the history, but the model was shown something else.
        if (newest.context.digest !== digestOf(state)) return 'diverged';
        if ((newest.context.open ?? []).length > 0) return 'unanswered-tool-call';
        history.postponeCheck();
        const length = lengthOf(state);
        const whole = { lost: undefined, isPart: false, isRun: true, served: length, length, bytes: 0 };
        this.#life.turn.began({ mode, forecast: outlook, ...whole });
        watch.note({ served: 'anchor', items: 1 });
        return { sessionId, version: state.version, length, digest: digestOf(state) };
      }, true),
    );
  }

  expand(anchor: Anchor): Promise<AgentInputItem[]> {
    return this.#life.telemetry.run('read', (watch) =>
      this.#life.run(async (open, mode) => {
        const { sessionId } = open.attachment;
        watch.note({ sessionId, mode, served: 'ledger', reason: 'anchor' });
        if (anchor.sessionId !== sessionId) throw new HistoryAnchorError(anchor.sessionId, 'no-session');
        const entries = await entriesAt(open, anchor);
        const { restored } = await open.history.contents(() => entries);
        const items = restored.flatMap(({ item }) => (item === undefined ? [] : [forModel(item)]));
        watch.note({ items: items.length });
        return structuredClone(items);
      }),
    );
  }

  unanchored(reason: AnchorObstacle): void {
    const { sessionId = '', telemetry } = this.#life;
    telemetry.event({ type: 'unanchored', sessionId, reason });
  }
}

/** @throws InvalidItemError for an item that stands for a history: it would be one for nobody else. */
export function refuseAnchors(items: readonly AgentInputItem[]): void {
  const index = items.findIndex((item) => anchorOf(item) !== undefined);
  if (index !== -1) throw new InvalidItemError(index, 'it stands for the history of an anchored run');
}

/** The entries that the anchor means: mostly the beginning of what the history is now. */
async function entriesAt({ attachment }: OpenSession, anchor: Anchor): Promise<readonly LedgerEntry[]> {
  const { ledger } = attachment;
  const state = await ledger.refresh();
  for (const { entries } of [state, await ledger.at(anchor.version)]) {
    const meant = entries.slice(0, anchor.length);
    if (meant.length === anchor.length && meant.at(-1)?.context === anchor.digest) return meant;
  }
  throw new HistoryAnchorError(anchor.sessionId, 'gone');
}
