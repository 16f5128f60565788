// A million events of every kind to every listener, and the memory that they leave behind.
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { statsCollector } from '../../dist/esm/src/index.js';
import { openTelemetry } from '../../dist/esm/src/opentelemetry.js';
import { Telemetry } from '../../dist/esm/src/telemetry/span.js';
import { heap } from './heap.mjs';
import { KINDS, kindOf, tellAll } from './event-kinds.mjs';

/** One round of sessions for so many events, which must leave no memory behind either. */
const EVENTS_PER_ROUND = 50_000;

/** @returns the number of events of each kind, the missing kinds, and the growth of the heap. */
export async function runEvents(count) {
  const collector = statsCollector();
  const meters = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: forgetting(), exportIntervalMillis: 1000 })],
  });
  const observers = [
    collector,
    openTelemetry({ tracerProvider: new BasicTracerProvider(), meterProvider: meters }),
  ];
  const samples = await tellAll(observers);
  const telemetry = new Telemetry([statsCollector(), ...observers]);
  const told = new Map();
  let sent = 0;
  const run = async (events) => {
    for (let round = 0; round < events / EVENTS_PER_ROUND; round += 1) {
      await tellAll(observers);
      for (let left = Math.min(EVENTS_PER_ROUND, events); left > 0; left -= 1) {
        const sample = samples[sent % samples.length];
        sent += 1;
        // Every event is of another session.
        telemetry.event({ ...sample, sessionId: `conv_${sent}` });
        told.set(kindOf(sample), (told.get(kindOf(sample)) ?? 0) + 1);
      }
      // Readers of metrics get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await run(count / 10);
  told.clear();
  const before = heap();
  await run(count);
  const grown = heap() - before;
  await meters.shutdown();
  return { told: Object.fromEntries(told), missing: KINDS.filter((kind) => !told.has(kind)), grown };
}

/** A consumer of metrics that keeps none. */
function forgetting() {
  return {
    export: (_metrics, done) => done({ code: 0 }),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}
