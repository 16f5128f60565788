export { openTelemetry, type OpenTelemetryOptions } from './telemetry/open-telemetry.ts';
export type {
  ObservedOperation,
  OperationFacts,
  OperationName,
  SessionObserver,
} from './telemetry/observer.ts';
