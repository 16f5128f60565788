import { createCustomSpan, getCurrentTrace } from '@openai/agents';
import type { ObservedOperation, OperationFacts, OperationName, SessionObserver } from './observer.ts';

type CustomSpan = ReturnType<typeof createCustomSpan>;

/** An operation that ended before its trace began. */
interface Untraced {
  readonly name: OperationName;
  readonly begun: number;
  readonly children: Untraced[];
  facts: OperationFacts;
  failure: string | undefined;
}

/** The SDK's trace ID for a run with tracing disabled. */
const DISABLED_TRACE_ID = 'no-op';

/**
 * Reports the operations of one session as custom spans in the SDK's current trace; without a trace it reports none.
 *
 * A run reads its session before it begins its trace. The span of that read is created once the trace exists, with the
 * duration among its facts.
 */
export function sdkTracing(): SessionObserver {
  let untraced: Untraced | undefined;
  return {
    begin(name) {
      const trace = getCurrentTrace();
      if (trace === null) return name === 'read' ? recorded(name, (one) => (untraced = one)) : undefined;
      if (trace.traceId === DISABLED_TRACE_ID) {
        untraced = undefined;
        return undefined;
      }
      // A read within the trace means that the kept read belongs to another run.
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

/** @param done receives the operation when it ends. */
function recorded(name: OperationName, done: (one: Untraced) => void): ObservedOperation {
  const one: Untraced = { name, begun: performance.now(), children: [], facts: {}, failure: undefined };
  return {
    begin: (child) => recorded(child, (ended) => one.children.push(ended)),
    end: (facts, failure) => {
      one.facts = { ...facts, milliseconds: Math.round(performance.now() - one.begun) };
      one.failure = failure;
      done(one);
    },
  };
}

function show({ name, children, facts, failure }: Untraced, parent?: CustomSpan): void {
  const span = begin(name, parent);
  for (const child of children) show(child, span);
  end(span, facts, failure);
}
