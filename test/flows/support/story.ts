import { Agent, tool, type AgentInputItem, type Runner, type Session, type Tool } from '@openai/agents';
import { z } from 'zod';
import type { Operation } from '../../../mocks/http/operations.ts';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import { textOf } from '../../../mocks/wire/item.ts';
import { outline } from '../../../mocks/wire/outline.ts';
import type {
  HybridSessionEvent,
  ObservedOperation,
  PlannedRequest,
  SessionObserver,
  WarningCode,
  WarningEvent,
} from '../../../src/index.ts';

/** The turns of the report. */
export const TURNS = ['hi', 'what can you do?', 'give me one example', 'thanks'] as const;

/** A model that the report is about: the simulator unlinks its answers. */
const MODEL = 'gpt-5.4';

/** A tool of the SDK that the simulated model calls when a user says so. */
const weather: Tool = tool({
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `sunny in ${city}`,
});

/** An agent of the SDK with that tool. */
export function assistantAgent(model: string = MODEL): Agent {
  return new Agent({ name: 'Assistant', model, tools: [weather] });
}

/** Lives through turns with the SDK's own runner and gives the model's answers, which name the items of its context. */
export async function converse(
  runner: Runner,
  session: Session,
  turns: readonly string[],
  options: { readonly stream?: boolean; readonly agent?: Agent } = {},
): Promise<string[]> {
  const agent = options.agent ?? assistantAgent();
  const answers: string[] = [];
  for (const turn of turns) {
    if (options.stream === true) {
      const streamed = await runner.run(agent, turn, { session, stream: true });
      await streamed.completed;
      answers.push(String(streamed.finalOutput));
    } else {
      const result = await runner.run(agent, turn, { session });
      answers.push(String(result.finalOutput));
    }
  }
  return answers;
}

/** The history as letters: `u` user, `a` assistant, `c` tool call, `r` tool result, `t` reasoning. */
export async function historyOf(session: Session): Promise<string> {
  return outline(await session.getItems());
}

/** The list of a conversation, as letters. */
export function listOf(simulator: SimulatorCore, id: string): string {
  return outline(itemsIn(simulator, id));
}

/** The texts in a conversation's list. */
export function listedTexts(simulator: SimulatorCore, id: string): string[] {
  return itemsIn(simulator, id).map((item) => textOf(item));
}

/** The IDs in a conversation's list. */
export function listedIds(simulator: SimulatorCore, id: string): string[] {
  return itemsIn(simulator, id).map((item) => item.id);
}

function itemsIn(
  simulator: SimulatorCore,
  id: string,
): ReturnType<SimulatorCore['snapshot']>['conversations'][number]['items'] {
  const found = simulator.snapshot().conversations.find((conversation) => conversation.id === id);
  if (found === undefined) throw new Error(`There is no conversation '${id}'`);
  return [...found.items, ...found.pending];
}

/** The IDs of items, in order. */
export function idsOf(items: readonly AgentInputItem[]): (string | undefined)[] {
  return items.map((item) => ('id' in item ? item.id : undefined));
}

/** The requests that a piece of work makes, in order. */
export async function requestsOf(
  simulator: SimulatorCore,
  work: () => Promise<unknown>,
): Promise<(Operation | undefined)[]> {
  const from = simulator.log.length;
  await work();
  return simulator.log.slice(from).map(({ operation }) => operation);
}

/** An event of this type, or a warning of this code. */
type Named<T extends HybridSessionEvent['type'] | WarningCode> = T extends WarningCode
  ? WarningEvent
  : Extract<HybridSessionEvent, { type: T }>;

/** Collects the events of a session. */
export interface Recorder {
  readonly events: HybridSessionEvent[];
  readonly onEvent: (event: HybridSessionEvent) => void;
  /** The events of one type, or the warnings of one code. */
  readonly of: <T extends HybridSessionEvent['type'] | WarningCode>(name: T) => Named<T>[];
  /** All events but the turns: each tells of a problem. */
  readonly problems: () => HybridSessionEvent[];
  /** Goes among the session's `observers`, for `plans`. */
  readonly observer: SessionObserver;
  /** The plans of all requests, in order, also of runs that failed. */
  readonly plans: PlannedRequest[];
}

/** Collects the events of a session. */
export function recorder(): Recorder {
  const events: HybridSessionEvent[] = [];
  const { observer, plans } = planRecorder();
  return {
    events,
    onEvent: (event) => void events.push(event),
    of: <T extends HybridSessionEvent['type'] | WarningCode>(name: T) =>
      events.filter((event): event is Named<T> => event.type === name || codeOf(event) === name),
    problems: () => events.filter(({ type }) => type !== 'turn'),
    observer,
    plans,
  };
}

/** Collects the plans of all requests of a session, also of runs that failed. */
export function planRecorder(): Pick<Recorder, 'observer' | 'plans'> {
  const plans: PlannedRequest[] = [];
  const operation: ObservedOperation = {
    begin: () => operation,
    end({ plan, reason, parentId, sent, context, savedBytes, ...shadow }) {
      const { shadowPlan, shadowReason, shadowSent, shadowSavedBytes } = shadow;
      plans.push({
        plan,
        reason,
        parentId,
        sent,
        context,
        savedBytes,
        shadowPlan:
          shadowPlan === undefined
            ? undefined
            : { plan: shadowPlan, reason: shadowReason, sent: shadowSent, savedBytes: shadowSavedBytes },
      } as PlannedRequest);
    },
  };
  return { observer: { begin: (name) => (name === 'plan' ? operation : undefined) }, plans };
}

/** The plans of the turns among the events, in order. */
export function plansIn(events: readonly HybridSessionEvent[]): PlannedRequest[] {
  return events.flatMap((event) => (event.type === 'turn' ? event.plans : []));
}

/** The code of a warning; undefined for another event. */
export function codeOf(event: HybridSessionEvent): WarningCode | undefined {
  return event.type === 'warning' ? event.code : undefined;
}
