import {
  context,
  metrics,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type MeterProvider,
  type TracerProvider,
} from '@opentelemetry/api';
import type { ObservedOperation, OperationFacts, OperationName, SessionObserver } from './observer.ts';
import { type HybridSessionEvent, countedAs } from './events.ts';

/** Options of `openTelemetry`. */
export interface OpenTelemetryOptions {
  /**
   * Creates the tracer.
   *
   * @default the global provider at the first use
   */
  readonly tracerProvider?: TracerProvider | undefined;
  /**
   * Creates the meter.
   *
   * @default the global provider at the first use
   */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * Whether metrics carry `gen_ai.conversation.id`, like the spans. Each conversation then is a time series of its own.
   *
   * @default false
   */
  readonly conversationOnMetrics?: boolean | undefined;
}

const SCOPE = 'agents-hybrid-session';

/**
 * Creates an observer that reports sessions as OpenTelemetry spans and metrics. Many sessions can share one observer.
 *
 * Spans: `hybrid_session.read`, `.restore`, `.append` and `.plan`, within the active span, with `gen_ai.conversation.id` and the
 * facts as `hybrid_session.*`. Metrics: `hybrid_session.operation.duration` (histogram, seconds) and the counters
 * `hybrid_session.turns`, `.checked_turns`, `.turns_with_loss`, `.lost_items`, `.restored_items`, `.requests`, `.saved_bytes` and `.events`.
 *
 * @example
 * ```ts
 * import { openTelemetry } from 'agents-hybrid-session/opentelemetry';
 *
 * const session = new HybridSession({ observers: [openTelemetry()] });
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): SessionObserver {
  let instruments: Instruments | undefined;
  const open = (): Instruments => (instruments ??= new Instruments(options));
  return {
    begin: (name) => open().observe(name, context.active()),
    event: (event) => open().count(event),
  };
}

class Instruments {
  readonly #tracer;
  readonly #duration;
  readonly #counters;
  readonly #isDetailed: boolean;

  constructor({ tracerProvider, meterProvider, conversationOnMetrics }: OpenTelemetryOptions) {
    this.#tracer = (tracerProvider ?? trace).getTracer(SCOPE);
    const meter = (meterProvider ?? metrics).getMeter(SCOPE);
    const counter = (name: string, unit: string, description: string) =>
      meter.createCounter(`hybrid_session.${name}`, { unit, description });
    this.#duration = meter.createHistogram('hybrid_session.operation.duration', {
      unit: 's',
      description: 'How long an operation of a session took',
    });
    this.#counters = {
      turns: counter('turns', '{turn}', 'Turns that ended with a response'),
      checkedTurns: counter('checked_turns', '{turn}', 'Turns whose list was compared with the ledger'),
      turnsWithLoss: counter('turns_with_loss', '{turn}', 'Turns whose list lacked items'),
      lostItems: counter('lost_items', '{item}', 'Items that lists have lost'),
      restoredItems: counter(
        'restored_items',
        '{item}',
        'Items brought back although the list had lost them',
      ),
      requests: counter('requests', '{request}', 'Requests to the model, by plan and reason'),
      savedBytes: counter('saved_bytes', 'By', 'Bytes not sent because the parent has them'),
      events: counter('events', '{event}', 'All other events, by type'),
    };
    this.#isDetailed = conversationOnMetrics === true;
  }

  observe(name: OperationName, parent: Context): ObservedOperation {
    const begun = performance.now();
    const span = this.#tracer.startSpan(`hybrid_session.${name}`, {}, parent);
    return {
      begin: (child) => this.observe(child, trace.setSpan(parent, span)),
      end: (facts, failure) => {
        span.setAttributes(attributesOf(facts));
        if (failure !== undefined) {
          span.setAttribute('error.type', failure);
          span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        }
        span.end();
        if (name === 'plan') this.#countPlan(facts);
        this.#duration.record((performance.now() - begun) / 1000, {
          'hybrid_session.operation': name,
          ...(failure === undefined ? {} : { 'error.type': failure }),
          ...this.#conversation(facts['sessionId']),
        });
      },
    };
  }

  #countPlan({ sessionId, plan, reason, savedBytes }: OperationFacts): void {
    const shared = this.#conversation(sessionId);
    this.#counters.requests.add(1, {
      'hybrid_session.plan': plan,
      'hybrid_session.reason': reason,
      ...shared,
    });
    this.#counters.savedBytes.add(Number(savedBytes), shared);
  }

  count(event: HybridSessionEvent): void {
    const shared = this.#conversation(event.sessionId);
    const { turns, checkedTurns, turnsWithLoss, lostItems, restoredItems, events } = this.#counters;
    switch (event.type) {
      case 'turn': {
        const attributes = {
          'hybrid_session.mode': event.mode,
          ...(event.model === undefined ? {} : { 'gen_ai.response.model': event.model }),
          ...shared,
        };
        turns.add(1, { 'hybrid_session.chain_reason': event.chain.reason, ...attributes });
        if (event.lost !== undefined) checkedTurns.add(1, attributes);
        if ((event.lost ?? 0) > 0) turnsWithLoss.add(1, attributes);
        if ((event.newlyLost ?? 0) > 0) lostItems.add(event.newlyLost ?? 0, attributes);
        return;
      }
      case 'restored':
        for (const [source, count] of Object.entries(event.sources))
          restoredItems.add(count, { 'hybrid_session.source': source, ...shared });
        return;
      default:
        events.add(1, { 'hybrid_session.event': countedAs(event), ...shared });
    }
  }

  #conversation(sessionId: unknown): Attributes {
    return this.#isDetailed && typeof sessionId === 'string' ? { [CONVERSATION]: sessionId } : {};
  }
}

const CONVERSATION = 'gen_ai.conversation.id';

/** The facts as span attributes. */
function attributesOf({ sessionId, ...facts }: OperationFacts): Attributes {
  return {
    'gen_ai.provider.name': 'openai',
    ...(sessionId === undefined ? {} : { [CONVERSATION]: sessionId }),
    ...Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [
        `hybrid_session.${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
        value,
      ]),
    ),
  };
}
