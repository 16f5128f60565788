import { context, trace, type Context, type ContextManager } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent } from '@openai/agents';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HybridRunner, HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { openTelemetry, type OpenTelemetryOptions } from '../../src/opentelemetry.ts';
import { simulated } from '../support/simulated.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

/** The asynchronous context manager of the SDK for Node. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    current: Context,
    work: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(current, () => work.apply(thisArg, args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

const ROOT = context.active();

beforeAll(() => void context.setGlobalContextManager(new Contexts()));
afterAll(() => context.disable());

interface Exported {
  readonly session: HybridSession;
  readonly spans: InMemorySpanExporter;
  readonly tracerProvider: BasicTracerProvider;
  /** Every data point: the metric's name, its attributes and its value (of a histogram the count). */
  readonly points: () => Promise<readonly [string, Record<string, unknown>, number][]>;
}

function exported(options: HybridSessionOptions = {}, detail: OpenTelemetryOptions = {}): Exported {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const { client } = simulated({ unlink: 'every-turn' });
  const observers = [openTelemetry({ tracerProvider, meterProvider, ...detail })];
  return {
    session: new HybridSession({ client, observers, ...options }),
    spans,
    tracerProvider,
    async points() {
      await meterProvider.forceFlush();
      const all =
        exporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
      await meterProvider.shutdown();
      return all.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }): [string, Record<string, unknown>, number] => [
          descriptor.name,
          attributes,
          typeof value === 'number' ? value : value.count,
        ]),
      );
    },
  };
}

async function turns(session: HybridSession, texts: readonly string[]): Promise<void> {
  const runner = new HybridRunner({ tracingDisabled: true });
  for (const text of texts) await runner.run(agent, text, { session });
}

test('each operation makes a span, within the active one and with the conversation on it', async () => {
  const { session, spans, tracerProvider } = exported();
  const parent = tracerProvider.getTracer('app').startSpan('request');
  await context.with(trace.setSpan(context.active(), parent), () => turns(session, ['hi', 'thanks']));
  parent.end();

  const finished = spans.getFinishedSpans().filter(({ name }) => name !== 'request');
  const sessionId = await session.getSessionId();
  expect(finished.map(({ name }) => name)).toEqual([
    'hybrid_session.restore',
    'hybrid_session.read',
    'hybrid_session.plan',
    'hybrid_session.append',
    'hybrid_session.restore',
    'hybrid_session.read',
    'hybrid_session.plan',
    'hybrid_session.append',
  ]);
  const { traceId, spanId } = parent.spanContext();
  for (const [index, span] of finished.entries()) {
    expect(span.spanContext().traceId).toBe(traceId);
    const within =
      span.name === 'hybrid_session.restore' ? finished[index + 1]?.spanContext().spanId : spanId;
    expect(span.parentSpanContext?.spanId).toBe(within);
    expect(span.attributes).toMatchObject({
      'gen_ai.provider.name': 'openai',
      'gen_ai.conversation.id': sessionId,
    });
  }
  expect(finished[6]?.attributes).toMatchObject({
    'hybrid_session.plan': 'chain',
    'hybrid_session.reason': 'extends',
    'hybrid_session.sent': 1,
    'hybrid_session.context': 3,
    'hybrid_session.saved_bytes': expect.any(Number) as unknown,
  });
});

test('the metrics count losses, restored items, plans and savings', async () => {
  const { session, points } = exported({ advanced: { compare: 'on-read' } });
  await turns(session, ['hi', 'what can you do?', 'give me one example', 'thanks']);
  const counted = await points();
  const value = (name: string, attributes: Record<string, unknown>): number | undefined =>
    counted.find(
      ([one, has]) => one === name && Object.entries(attributes).every(([key, is]) => has[key] === is),
    )?.[2];
  const model = { 'gen_ai.response.model': 'gpt-5.4', 'hybrid_session.mode': 'chain' };
  expect(value('hybrid_session.turns', { ...model, 'hybrid_session.chain_reason': 'no_parent' })).toBe(1);
  const chained = { ...model, 'hybrid_session.chain_reason': 'extends' };
  expect(value('hybrid_session.turns', chained)).toBe(3);
  expect(value('hybrid_session.checked_turns', model)).toBe(4);
  expect(value('hybrid_session.turns_with_loss', model)).toBe(2);
  expect(value('hybrid_session.lost_items', model)).toBe(2);
  expect(value('hybrid_session.restored_items', { 'hybrid_session.source': 'ledger' })).toBe(3);
  expect(value('hybrid_session.requests', { 'hybrid_session.reason': 'extends' })).toBe(3);
  expect(value('hybrid_session.requests', { 'hybrid_session.reason': 'no_parent' })).toBe(1);
  expect(value('hybrid_session.saved_bytes', {})).toBeGreaterThan(100);
  expect(value('hybrid_session.operation.duration', { 'hybrid_session.operation': 'read' })).toBe(4);
  for (const [, attributes] of counted) expect(attributes).not.toHaveProperty(['gen_ai.conversation.id']);
});

test('the metrics have the conversation as an attribute on request', async () => {
  const { session, points } = exported({}, { conversationOnMetrics: true });
  await turns(session, ['hi']);
  const sessionId = await session.getSessionId();
  for (const [, attributes] of await points()) expect(attributes['gen_ai.conversation.id']).toBe(sessionId);
});

test('a failed span has a word for the reason', async () => {
  const { session, spans, points } = exported({ conversationId: 'conv_unknown' });
  await expect(session.getItems()).rejects.toThrow('conv_unknown');
  const [span] = spans.getFinishedSpans();
  expect(span?.status).toEqual({ code: 2, message: 'conversation_not_found' });
  expect(span?.attributes['error.type']).toBe('conversation_not_found');
  expect(span?.attributes['gen_ai.conversation.id']).toBe('conv_unknown');
  expect(await points()).toContainEqual([
    'hybrid_session.operation.duration',
    { 'hybrid_session.operation': 'read', 'error.type': 'conversation_not_found' },
    1,
  ]);
});

test('the global providers are used by default, and do nothing until an app sets them', async () => {
  const session = new HybridSession({ client: simulated().client, observers: [openTelemetry()] });
  await turns(session, ['hi']);
  expect(await session.getItems()).toHaveLength(2);
});
