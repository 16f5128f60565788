// A million events of every kind to everybody who may listen, and whether they leave anything behind.
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { statsCollector } from '../../dist/esm/src/index.js';
import { openTelemetry } from '../../dist/esm/src/opentelemetry.js';
import { Telemetry } from '../../dist/esm/src/telemetry/telemetry.js';
import { heap } from './heap.mjs';
import { KINDS, tellAll } from './event-kinds.mjs';

/** One round of sessions for so many events: what tells them must not stay either. */
const EVENTS_PER_ROUND = 50_000;

/** @returns how many events of each kind there were, the kinds that nobody told, and by how much the heap has grown. */
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
        told.set(sample.type, (told.get(sample.type) ?? 0) + 1);
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

/** Metrics as somebody takes them, and keeps nothing. */
function forgetting() {
  return {
    export: (_metrics, done) => done({ code: 0 }),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}
