import {
  Agent,
  setTraceProcessors,
  setTracingDisabled,
  tool,
  withTrace,
  type TracingProcessor,
} from '@openai/agents';
import {
  InMemoryMetricExporter,
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  HybridRunner,
  HybridSession,
  HybridSessionError,
  memoryLedger,
  type LedgerStore,
  type Mode,
} from '../../src/index.ts';
import { openTelemetry } from '../../src/opentelemetry.ts';
import type { SimulatorCore } from '../../mocks/simulator.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { converse, recorder } from './support/story.ts';

useVirtualTime();

/** A part of every secret: an output with this word quotes a secret. */
const WORD = 'xyzzy';
const KEY = `sk-${WORD}-key`;
const MESSAGE = `no, ${WORD}-error`;

const agent = new Agent({
  name: 'Assistant',
  model: 'gpt-5.4',
  instructions: `Never say ${WORD}-instructions`,
  tools: [
    tool({
      name: 'look_up',
      description: 'Looks it up',
      parameters: z.object({ what: z.string() }),
      execute: ({ what }) => `${WORD}-output of ${what}`,
    }),
  ],
});
const SAID = [`${WORD}-input`, `call look_up {"what":"${WORD}-argument"}`, `${WORD}-again`];

/** Every output of the session. */
let output: unknown[] = [];

const processor: TracingProcessor = {
  onTraceStart: async () => undefined,
  onTraceEnd: async () => undefined,
  onSpanStart: async () => undefined,
  onSpanEnd: async (span) => {
    if (span.spanData.type === 'custom') output.push(span.toJSON());
  },
  shutdown: async () => undefined,
  forceFlush: async () => undefined,
};

/** The SDK's logger is the package `debug`, which writes to stderr. */
const debug = createRequire(createRequire(import.meta.url).resolve('@openai/agents-core'))('debug') as {
  enable: (names: string) => void;
  disable: () => string;
};

beforeEach(() => {
  output = [];
  setTracingDisabled(false);
  setTraceProcessors([processor]);
  debug.enable('openai-agents:hybrid-session');
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => output.push(String(text)) > 0);
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation((...text) => void output.push(text));
});

afterEach(() => {
  vi.restoreAllMocks();
  debug.disable();
  setTracingDisabled(true);
  setTraceProcessors([]);
});

/** The faults while the session is in use. */
const TROUBLES: Readonly<
  Record<string, (simulator: SimulatorCore, client: OpenAI, down: () => void) => unknown>
> = {
  nothing: () => undefined,
  'the conversation cannot be written': (simulator) =>
    simulator.fault('conversations.items.create', { status: 500, message: MESSAGE }),
  'the conversation refuses': (simulator) =>
    simulator.fault('conversations.items.create', { status: 400, message: MESSAGE, times: 3 }),
  'the list cannot be read': (simulator) =>
    simulator.fault('conversations.items.list', { status: 500, message: MESSAGE }),
  'the key is refused': (simulator) =>
    simulator.fault('conversations.items.list', { status: 401, message: MESSAGE }),
  'parents are refused': (simulator) =>
    simulator.fault('responses.create', { name: 'previous_response_not_found', times: 2 }),
  'responses are gone': async (simulator, client) => {
    for (const { id } of simulator.snapshot().responses) await client.responses.delete(id);
  },
  'the server says it with other words': (simulator) => {
    const said = { code: MESSAGE, type: MESSAGE, param: MESSAGE, headers: { 'x-request-id': WORD } };
    simulator.fault('conversations.items.create', { status: 500, message: MESSAGE, ...said, times: 2 });
    simulator.fault('conversations.items.list', { status: 500, message: MESSAGE, ...said, times: 2 });
    simulator.fault('responses.create', { status: 400, message: MESSAGE, ...said, skip: 1, times: 1 });
  },
  'the ledger is down': (_simulator, _client, down) => down(),
  'the model fails': (simulator) => simulator.fault('responses.create', { status: 500, message: MESSAGE }),
};

const CASES = Object.keys(TROUBLES).flatMap((trouble) =>
  (['off', 'shadow', 'rebuild', 'chain'] as const)
    .filter((mode) => trouble === 'nothing' || mode === 'shadow' || mode === 'chain')
    .map((mode) => ({ trouble, mode })),
);

describe.each([true, false])('with keepContent: %s', (keepContent) => {
  test.each(CASES)('no output holds a secret in mode $mode, when $trouble', async (one) => {
    await live(one.trouble, one.mode, keepContent);
    expect(output.length).toBeGreaterThan(3);
    const written = output.map((value) => inspect(value, { depth: 20, maxStringLength: null })).join('\n');
    const [leak] = new RegExp(`.{0,300}${WORD}.{0,100}`).exec(written) ?? [];
    expect(leak).toBeUndefined();
    expect(written).toContain('hybrid_session.append');
    expect(written).toContain('openai-agents:hybrid-session');
  });
});

/** A store that can go down, and says why with all it knows. */
function breakable(store: LedgerStore): { ledger: LedgerStore; down: () => void } {
  let isDown = false;
  const reach = <T>(work: () => Promise<T>): Promise<T> =>
    isDown
      ? Promise.reject(Object.assign(new Error(`redis://:${WORD}@host is down`), { code: `${WORD} code` }))
      : work();
  return {
    down: () => (isDown = true),
    ledger: {
      checkpoint: (sessionId) => reach(() => store.checkpoint(sessionId)),
      read: (...args) => reach(() => store.read(...args)),
      append: (...args) => reach(() => store.append(...args)),
      rewrite: (...args) => reach(() => store.rewrite(...args)),
      delete: (sessionId) => reach(() => store.delete(sessionId)),
    },
  };
}

async function live(trouble: string, mode: Mode, keepContent: boolean): Promise<void> {
  const { simulator } = simulated({ unlink: 'every-turn' });
  const client = new OpenAI({
    apiKey: KEY,
    organization: `${WORD}-organization`,
    defaultHeaders: { cookie: `${WORD}-cookie` },
    defaultQuery: { token: `${WORD}-token` },
    baseURL: 'http://127.0.0.1/v1',
    fetch: simulator.fetch,
    maxRetries: 0,
  });
  const spans = new InMemorySpanExporter();
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 2 ** 30 })],
  });
  const observer = openTelemetry({
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
    meterProvider,
  });
  const { events, onEvent } = recorder();
  const { ledger, down } = breakable(memoryLedger());
  let asked = 0;
  /** Fails every third time, and says why. */
  const rollout = Object.assign(
    (): Mode => {
      if ((asked += 1) % 3 > 0) return mode;
      throw Object.assign(new Error(MESSAGE), { code: MESSAGE, name: MESSAGE });
    },
    { defaultMode: mode },
  );
  const options = { client, ledger, keepContent, rollout, onEvent, observers: [observer] };
  const session = new HybridSession({ ...options, advanced: { compare: 'on-read' } });
  const sessions = [session];
  /** Our own errors are ours; the API's pass through as they are. */
  const noting = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch((error: unknown) => {
      if (error instanceof HybridSessionError) output.push(error, error.stack, JSON.stringify(error));
    });
  };
  await withTrace('support', async () => {
    await noting(() => converse(new HybridRunner(), session, SAID, { agent }));
    await TROUBLES[trouble]?.(simulator, client, down);
    await noting(() => converse(new HybridRunner(), session, SAID, { agent, stream: true }));
    await noting(() => converse(simulatedRunner(client), session, SAID, { agent }));
    await noting(() => session.getItems());
    await noting(() => session.addItems([{ role: 'user', content: WORD, [WORD]: 1n } as never]));
    await noting(() => session.applyHistoryMutations({ mutations: [{ type: WORD }] } as never));
    await noting(() => session.flush());
    const again = new HybridSession({ ...options, conversationId: await session.getSessionId() });
    sessions.push(again);
    await noting(() => again.getItems());
    await noting(async () => output.push(await again.verify()));
  });
  await meterProvider.forceFlush();
  output.push(
    events,
    sessions.map((one) => one.stats()),
    inspect(sessions, { showHidden: true, depth: 20 }),
    JSON.stringify(sessions),
    spans
      .getFinishedSpans()
      .map(({ name, attributes, status, events: noted }) => ({ name, attributes, status, noted })),
    metrics.getMetrics(),
  );
  await meterProvider.shutdown();
}
