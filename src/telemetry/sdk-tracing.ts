import { createCustomSpan, getCurrentTrace } from '@openai/agents';
import type { ObservedOperation, OperationFacts, OperationName, SessionObserver } from './observer.ts';

type CustomSpan = ReturnType<typeof createCustomSpan>;

/** An operation that ended before there was a trace to show it in. */
interface Untraced {
  readonly name: OperationName;
  readonly begun: number;
  readonly parts: Untraced[];
  facts: OperationFacts;
  failure: string | undefined;
}

/** The ID of the trace that the SDK gives to a run whose tracing is disabled: nobody sees its spans. */
const DISABLED = 'no-op';

/**
 * Shows what one session does as custom spans of the SDK's tracing, inside a trace and never without one.
 *
 * A run reads its session before it begins its trace: the span of that read is made when the trace is there, with its
 * duration among the facts.
 */
export function sdkTracing(): SessionObserver {
  let untraced: Untraced | undefined;
  return {
    begin(name) {
      const trace = getCurrentTrace();
      if (trace === null) return name === 'read' ? recorded(name, (one) => (untraced = one)) : undefined;
      if (trace.traceId === DISABLED) {
        untraced = undefined;
        return undefined;
      }
      // A run whose trace has begun before it reads has no read from before it.
      if (untraced !== undefined && name !== 'read') show(untraced);
      untraced = undefined;
      return traced(begin(name));
    },
  };
}

function begin(name: OperationName, parent?: CustomSpan): CustomSpan {
  const span = createCustomSpan({ data: { name: `hybrid_session.${name}` } }, parent);
  span.start();
  return span;
}

function end(span: CustomSpan, facts: OperationFacts, failure: string | undefined): void {
  span.spanData.data = { ...facts };
  if (failure !== undefined) span.setError({ message: failure });
  span.end();
}

function traced(span: CustomSpan): ObservedOperation {
  return {
    begin: (name) => traced(begin(name, span)),
    end: (facts, failure) => end(span, facts, failure),
  };
}

/** @param done called with the operation when it has ended. */
function recorded(name: OperationName, done: (one: Untraced) => void): ObservedOperation {
  const one: Untraced = { name, begun: performance.now(), parts: [], facts: {}, failure: undefined };
  return {
    begin: (part) => recorded(part, (ended) => one.parts.push(ended)),
    end: (facts, failure) => {
      one.facts = { ...facts, milliseconds: Math.round(performance.now() - one.begun) };
      one.failure = failure;
      done(one);
    },
  };
}

function show({ name, parts, facts, failure }: Untraced, parent?: CustomSpan): void {
  const span = begin(name, parent);
  for (const part of parts) show(part, span);
  end(span, facts, failure);
}
