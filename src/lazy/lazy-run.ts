import type { AgentInputItem, Session } from '@openai/agents';
import { isObject } from '../util/json.ts';
import {
  historyReferenceItem,
  historyReferenceOf,
  type HistoryReference,
} from '../chaining/history-reference.ts';
import type { ChainingPort } from '../chaining/port.ts';
import { sessionWith } from '../util/with-overrides.ts';
import { HistoryReferenceError } from '../errors/session.ts';

/** The session for the runner: its first read returns the reference item in place of the history. */
export function sessionWithReference(session: Session, reference: AgentInputItem): Session {
  let isRead = false;
  const getItems = async (...args: Parameters<Session['getItems']>): Promise<AgentInputItem[]> => {
    if (isRead) return session.getItems(...args);
    isRead = true;
    return [reference];
  };
  return sessionWith(session, { getItems });
}

/** The reference item for the session's history; undefined if the run needs the full history. */
export async function referenceFor(port: ChainingPort): Promise<AgentInputItem | undefined> {
  const found = await port.history.reference();
  if (typeof found === 'object') return historyReferenceItem(found);
  port.history.reportFullHistory(found);
  return undefined;
}

/**
 * Removes the reference from a run's state. The state of a finished run keeps the run's own input only; the state of a run
 * that can be resumed gets the full history.
 *
 * If the history cannot be read, the reference stays. Only a `HybridRunner` can resume such a state.
 */
export async function settle(state: unknown, port: ChainingPort): Promise<void> {
  if (isFinished(state)) dropReference(state);
  else await expandState(state, port).catch(() => port.history.reportFullHistory('ledger_unavailable'));
}

/** Settles the state of a failed run, if the error has one. */
export async function settleError(error: unknown, port: ChainingPort): Promise<void> {
  const state = isObject(error) ? error['state'] : undefined;
  if (state !== undefined) await settle(state, port);
}

/** Runs a function before the stream of a run ends, with its error if it has one. The function must not reject. */
export function beforeStreamEnds(
  result: { readonly state: unknown },
  work: (error: unknown) => Promise<void>,
): void {
  for (const end of ['_done', '_raiseError'] as const) {
    const original: unknown = Reflect.get(result, end);
    if (typeof original !== 'function') continue;
    Reflect.set(result, end, (...args: unknown[]) => {
      void work(args[0]).then(() => original.apply(result, args));
    });
  }
}

/** Settles a streamed run before its stream ends, and hides the reference until then. */
export function settleStream(result: { readonly state: unknown }, port: ChainingPort): void {
  beforeStreamEnds(result, () => settle(result.state, port));
  // `input` stays, because the runner reads the reference from it until the stream has ended.
  const history = (): AgentInputItem[] => Reflect.get(Object.getPrototypeOf(result), 'history', result);
  Object.defineProperty(result, 'history', { configurable: true, get: () => ownInput(history()) });
}

/** The SDK's field for the input of a run, including the history at its beginning. */
const INPUT_FIELD = '_originalInput';

/**
 * Replaces a reference by its history.
 *
 * @throws HistoryReferenceError if the run has another session or none, or the history is gone.
 */
export async function expandInput(
  input: readonly AgentInputItem[],
  port: ChainingPort | undefined,
): Promise<AgentInputItem[]> {
  const whole: AgentInputItem[] = [];
  for (const item of input) {
    const reference = historyReferenceOf(item);
    if (reference === undefined) whole.push(item);
    else whole.push(...(await expanded(reference, port)));
  }
  return whole;
}

/** Replaces the reference in a state by the full history, so that any runner of any process can resume it. */
export async function expandState(state: unknown, port: ChainingPort | undefined): Promise<void> {
  const input = inputWithReference(state);
  if (input !== undefined) Reflect.set(input.state, INPUT_FIELD, await expandInput(input.items, port));
}

/** After a finished run, keeps only the run's own input in its state, like the SDK with server-managed history. */
function dropReference(state: unknown): void {
  const input = inputWithReference(state);
  if (input !== undefined) Reflect.set(input.state, INPUT_FIELD, ownInput(input.items));
}

/** The input of a run without its history. */
function ownInput(items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.filter((item) => historyReferenceOf(item) === undefined);
}

/** Whether a run has its final output, so that it cannot be resumed. */
export function isFinished(state: unknown): boolean {
  const step = isObject(state) ? state['_currentStep'] : undefined;
  return isObject(step) && step['type'] === 'next_step_final_output';
}

/** The input of a state; undefined if it has no reference. */
function inputWithReference(
  state: unknown,
): { readonly state: object; readonly items: readonly AgentInputItem[] } | undefined {
  if (typeof state !== 'object' || state === null) return undefined;
  const items: unknown = Reflect.get(state, INPUT_FIELD);
  return Array.isArray(items) && items.some((item) => historyReferenceOf(item) !== undefined)
    ? { state, items }
    : undefined;
}

function expanded(reference: HistoryReference, port: ChainingPort | undefined): Promise<AgentInputItem[]> {
  if (port === undefined) throw new HistoryReferenceError(reference.sessionId, 'no_session');
  return port.history.expand(reference);
}
