import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';
import { textOf, type ProfileName, type SimulatorCore } from '../../../mocks/index.ts';
import { letterOf } from '../../../mocks/wire/outline.ts';
import {
  chainedProvider,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
} from '../../../src/index.ts';
import { seeingModel } from '../../chaining/equivalence/seeing-model.ts';
import { hasConversations } from '../../support/profiles.ts';
import { simulated } from '../../support/simulated.ts';

/** How an app runs its agents with a `HybridSession`. */
export const RUNNERS = {
  'stock run': ({ client }) =>
    new Runner({ modelProvider: new OpenAIProvider({ openAIClient: client }), tracingDisabled: true }),
  'stock run, chained provider': ({ client }) =>
    new Runner({
      modelProvider: chainedProvider(new OpenAIProvider({ openAIClient: client })),
      tracingDisabled: true,
    }),
  run: () => new HybridRunner({ tracingDisabled: true }),
  'history reference': () => new HybridRunner({ tracingDisabled: true, history: 'reference' }),
} as const satisfies Record<
  string,
  (world: { readonly client: ReturnType<typeof simulated>['client'] }) => Runner
>;

/** The subject of the turns. */
export const KINDS = {
  plain: { model: 'gpt-4.1', turns: ['hi', 'what can you do?', 'give me one example', 'thanks'] },
  tools: { model: 'gpt-4.1', turns: ['hi', 'act 1x1', 'act 2x2', 'thanks'] },
  reasoning: { model: 'gpt-5', turns: ['hi', 'act 1x1', 'what can you do?', 'thanks'] },
} as const;

/** After this turn another process goes on: a new session object on the same ledger. */
const REOPENED_AFTER = 2;

/** One way to live through turns on one server. */
export interface Story {
  readonly profile: ProfileName;
  readonly runner: keyof typeof RUNNERS;
  readonly kind: keyof typeof KINDS;
  readonly stream: boolean;
}

/** The outcome of a story. */
export interface Outcome {
  /** One for each answer that the caller got: whether its model saw everything that was said before. */
  readonly contexts: readonly ('whole' | 'told' | 'lost')[];
  /** The error of a run. */
  readonly failure: string | undefined;
  /** Requests to the model, however they were answered. */
  readonly requests: number;
  /** The warnings of the session, each kind once. */
  readonly noticed: readonly string[];
  /** Whether the session serves every item, and finds the history complete. */
  readonly isKept: boolean;
}

const lookUp = tool({
  name: 'look_up',
  description: 'Looks something up',
  parameters: z.object({ input: z.string() }),
  execute: ({ input }) => `found ${input}`,
});

/**
 * Lives through the turns, the last of them in another process, and compares the model's contexts with the history.
 * A run that fails ends the story.
 */
export async function liveThrough({ profile, runner, kind, stream }: Story): Promise<Outcome> {
  const { simulator, client } = simulated({ profile, respond: seeingModel() });
  const events: HybridSessionEvent[] = [];
  const ledger = memoryLedger();
  const isMirrored = hasConversations(profile);
  const open = (conversationId?: string): HybridSession =>
    new HybridSession({
      client,
      ledger,
      onEvent: (event) => void events.push(event),
      ...(isMirrored ? { conversationId } : { mirror: 'off', sessionId: 'session' }),
    });
  const { model, turns } = KINDS[kind];
  const agent = new Agent({ name: 'Assistant', model, tools: kind === 'plain' ? [] : [lookUp] });
  const runs = RUNNERS[runner]({ client });
  const said: string[] = [];
  const contexts: Outcome['contexts'][number][] = [];
  let session = open();
  let failure: string | undefined;
  for (const [index, turn] of turns.entries()) {
    // No two stories begin alike: the SDK's runner does not say which session a request belongs to.
    const text =
      index === 0 ? `${turn}, this is ${profile}, ${runner}, ${kind}, ${stream ? 'stream' : 'JSON'}` : turn;
    if (index === REOPENED_AFTER) session = open(isMirrored ? session.conversationId : undefined);
    said.push(`u ${text}`);
    try {
      const result = stream
        ? await runs.run(agent, text, { session, stream: true })
        : await runs.run(agent, text, { session });
      if ('completed' in result) await result.completed;
      const outputs = result.newItems.filter(({ type }) => type === 'tool_call_output_item');
      for (const { responseId, output } of result.rawResponses) {
        contexts.push(verdict(simulator, responseId, said, events));
        const answer = gistsOf(output);
        said.push(...answer);
        const calls = new Set(answer.map((line) => callIn(line)));
        for (const { rawItem } of outputs) {
          const [line = ''] = gistsOf([rawItem]);
          if (calls.has(callIn(line))) said.push(line);
        }
      }
    } catch (error) {
      failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      break;
    }
  }
  const history = gistsOf(await session.getItems());
  const { verified } = await session.verify();
  return {
    contexts,
    failure,
    requests: simulator.log.filter(({ operation }) => operation === 'responses.create').length,
    noticed: [...new Set(events.flatMap((event) => noticedIn(event)))].toSorted(),
    isKept: verified && (failure !== undefined || JSON.stringify(history) === JSON.stringify(said)),
  };
}

/** Whether the model saw everything, by the server's log; or whether the session told that it may not have. */
function verdict(
  simulator: SimulatorCore,
  responseId: string | undefined,
  said: readonly string[],
  events: readonly HybridSessionEvent[],
): Outcome['contexts'][number] {
  const seen = simulator.log.find((entry) => entry.responseId === responseId)?.context ?? [];
  if (JSON.stringify(gistsOf(seen)) === JSON.stringify(said)) return 'whole';
  const isTold = events.some(
    (event) =>
      event.type === 'warning' &&
      event.code === 'parent_maybe_ignored' &&
      event.ids?.includes(responseId ?? '') === true,
  );
  return isTold ? 'told' : 'lost';
}

/** Items as a model reads them, in the API's form or the SDK's, one line for each; reasoning may be left out. */
function gistsOf(items: readonly object[]): string[] {
  return items.filter((item) => letterOf(item) !== 't').map((item) => gistOf({ ...item }));
}

function gistOf(item: Readonly<Record<string, unknown>>): string {
  const callId = item['callId'] ?? item['call_id'];
  const output = item['output'];
  // The SDK wraps the text that a tool answers.
  const text = isText(output) ? output.text : textOf(item);
  return [letterOf(item), ...(typeof callId === 'string' ? [callId] : []), text].join(' ');
}

function isText(value: unknown): value is { readonly text: string } {
  return typeof value === 'object' && value !== null && 'text' in value && typeof value.text === 'string';
}

/** The ID of the call that a line is about. */
function callIn(line: string): string | undefined {
  return /^[cr] (\S+) /.exec(line)?.[1];
}

function noticedIn(event: HybridSessionEvent): string[] {
  if (event.type === 'warning') return [event.code];
  return event.type === 'turn' ? [] : [event.type];
}
