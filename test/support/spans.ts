import type { ObservedOperation, SessionObserver } from '../../src/index.ts';

/** Notes the attributes with which operations end, without their parts. */
export interface NotedSpans {
  readonly spans: object[];
  readonly observer: SessionObserver;
  readonly observed: (name?: string) => ObservedOperation;
}

export function notedSpans(): NotedSpans {
  const spans: object[] = [];
  const part: ObservedOperation = { begin: () => part, end: () => undefined };
  const observed = (name?: string): ObservedOperation => ({
    begin: () => part,
    end: (facts, failure) => void spans.push({ name, failure, ...facts }),
  });
  return { spans, observed, observer: { begin: observed } };
}
