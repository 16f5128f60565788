import {
  OpenAIProvider,
  RunState,
  tool,
  Agent,
  type AgentInputItem,
  type AgentOutputType,
  type RunResult,
  type Runner,
  type StreamedRunResult,
} from '@openai/agents';
import { z } from 'zod';
import { outline } from '../../../mocks/wire/outline.ts';
import {
  CompactionError,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HistoryOptions,
  type Mode,
} from '../../../src/index.ts';
import { texts } from '../../support/conversation.ts';
import { simulated } from '../../support/simulated.ts';
import { compactedByServer } from './compaction-world.ts';
import { elsewhere } from './elsewhere.ts';
import { assistantAgent } from './story.ts';

type AnyAgent = Agent<unknown, AgentOutputType>;
type State = RunState<unknown, AnyAgent>;
type Result = RunResult<unknown, AnyAgent> | StreamedRunResult<unknown, AnyAgent>;

const pay = tool({
  name: 'pay',
  description: 'Pays',
  parameters: z.object({ to: z.string() }),
  needsApproval: true,
  execute: ({ to }) => `paid ${to}`,
});

/** What a user says, and the items that the run adds: for a run that waits for an approval, those before it. */
const TURNS = {
  plain: { text: 'hello', items: 'u,a' },
  long: { text: 'word '.repeat(1200), items: 'u,a' },
  tool: { text: 'call get_weather {"city":"Rome"}', items: 'u,c,r,a' },
  'long tool': { text: `call get_weather {"city":"Rome"} ${'word '.repeat(1200)}`, items: 'u,c,r,a' },
  approval: { text: 'call pay {"to":"Ann"}', items: 'u,c' },
  'two approvals': { text: 'call pay {"to":"Ann"} call pay {"to":"Bob"}', items: 'u,c,c' },
  'tool and approval': { text: 'call get_weather {"city":"Rome"} call pay {"to":"Ann"}', items: 'u,c,c,r' },
} as const;

export type Kind = keyof typeof TURNS;
export const KINDS = Object.keys(TURNS) as Kind[];

/** Reasons for which a history cannot be compacted now. */
const REFUSALS = new Set<CompactionError['reason']>(['nothing_to_compact', 'mode', 'unanswered_tool_call']);

/** How a run goes. */
export interface Way {
  /** The process. */
  readonly which: 0 | 1;
  readonly runner: 'whole' | 'reference';
  readonly stream: boolean;
  readonly compacts: 'never' | 'server' | 'refused' | 'meanwhile';
}

/** The answers of a human. */
export interface Decision {
  readonly approve: boolean;
  /** Whether the other calls go on waiting. */
  readonly isPartial: boolean;
  /** Whether the run was stored as text. */
  readonly isStored: boolean;
}

/** A run that waits for approvals. */
interface Waiting {
  readonly state: State;
  /** Whether nothing was added to the session since. */
  isNewest: boolean;
}

/** Two processes with one session on one ledger, and the list of all that was said. */
export class LongConversation {
  readonly #world = simulated();
  readonly #ledger = memoryLedger();
  readonly #agent: AnyAgent;
  readonly #history: HistoryOptions;
  readonly #runners: Readonly<Record<Way['runner'], Runner>>;
  #sessions: [HybridSession, HybridSession];
  /** Each item as a letter, messages of the user with their text. */
  #said: { readonly letter: string; readonly text?: string }[] = [];
  #waiting: Waiting | undefined;
  #mode: Mode = 'chain';
  /** What was found, and what should have been. */
  readonly found: { readonly where: string; readonly is: unknown; readonly expected: unknown }[] = [];

  constructor(model: string, history: HistoryOptions) {
    this.#history = history;
    this.#agent = new Agent({ name: 'Assistant', model, tools: [...assistantAgent().tools, pay] });
    const modelProvider = new OpenAIProvider({ openAIClient: this.#world.client });
    this.#runners = {
      whole: new HybridRunner({ modelProvider, tracingDisabled: true }),
      reference: new HybridRunner({ modelProvider, tracingDisabled: true, history: 'reference' }),
    };
    this.#sessions = [this.#open(), this.#open()];
  }

  #open(): HybridSession {
    return new HybridSession({
      client: this.#world.client,
      ledger: elsewhere(this.#ledger),
      sessionId: 'user-42',
      rollout: () => this.#mode,
      history: this.#history,
    });
  }

  async turn(kind: Kind, way: Way, number: number): Promise<void> {
    const { text, items } = TURNS[kind];
    const said = `${number} ${text}`;
    if (this.#waiting !== undefined) this.#waiting.isNewest = false;
    await this.#run(said, way, 'u', items);
  }

  /** Gives the answers of a human to the run that waits, in any process. */
  async decide({ approve, isPartial, isStored }: Decision, way: Way): Promise<void> {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const { state } = waiting;
    const resumed = isStored ? await RunState.fromString(this.#agent, state.toString()) : state;
    const open = resumed.getInterruptions();
    // The SDK does not save a first refusal of a streamed run.
    const decided = isPartial && (approve || !way.stream) ? open.slice(0, 1) : open;
    for (const one of decided) resumed[approve ? 'approve' : 'reject'](one);
    const results = decided.map(() => 'r').join(',');
    const isEnd = decided.length === open.length;
    const calls = open.map(({ rawItem }) => ('callId' in rawItem ? rawItem.callId : undefined));
    await this.#run(resumed, way, results, isEnd ? `${results},a` : results, calls);
  }

  /**
   * Runs the agent, and compares the requests and the history afterwards.
   *
   * @param input the items that the run adds before the model is asked.
   * @param added the items that it adds in all.
   * @param calls the calls that waited for an approval.
   */
  async #run(
    given: string | State,
    way: Way,
    input: string,
    added: string,
    calls: readonly (string | undefined)[] = [],
  ): Promise<void> {
    const { which, runner, stream, compacts } = way;
    const { simulator } = this.#world;
    const session = this.#sessions[which];
    const before = await session.getItems();
    const { modelSettings } = compactedByServer.agent;
    const agent = compacts === 'server' ? this.#agent.clone({ modelSettings }) : this.#agent;
    const isListed = this.#mode === 'off' || this.#mode === 'shadow';
    const isCurrent = typeof given === 'string' || this.#waiting?.isNewest === true;
    // The model boundary can compact a history that has an answer, for a run that holds this history.
    const isRefused =
      isCurrent &&
      compacts === 'refused' &&
      added !== input &&
      /a(,u)*$/.test(outline(sendable(before))) &&
      !isListed &&
      !this.#isWindowed;
    let meanwhile: Promise<void> | undefined;
    const end = simulator.onRequest(({ operation }) => {
      if (operation === 'responses.create' && compacts === 'meanwhile')
        meanwhile ??= this.compact(which === 0 ? 1 : 0);
    });
    if (isRefused) simulator.fault('responses.create', { name: 'context_length_exceeded', times: 1 });
    const from = simulator.log.length;
    const result = await ran(this.#runners[runner], agent, given, session, stream);
    end();
    await meanwhile;
    if (result.interruptions.length > 0) this.#waiting = { state: result.state, isNewest: isCurrent };
    else if (typeof given !== 'string') this.#waiting = undefined;
    for (const letter of added.split(','))
      this.#said.push(letter === 'u' && typeof given === 'string' ? { letter, text: given } : { letter });
    const requests = simulator.log.slice(from);
    this.#find('refusals', requests.filter(({ status }) => status !== 200).length, isRefused ? 1 : 0);
    const contexts = requests.flatMap(({ operation, context }) =>
      operation === 'responses.create' && context ? [outline(context)] : [],
    );
    const after = await session.getItems();
    if (compacts === 'server' || compacts === 'meanwhile' || isListed) return;
    if (!isCurrent) return;
    // A run that waited goes on with the history of its beginning, although the window may have moved.
    const isMoved = this.#isWindowed && typeof given !== 'string';
    if (contexts.length > 0 && !isRefused && !isMoved)
      this.#find('context', contexts[0], joined(outline(sendable(before, calls)), input));
    if (this.#isWindowed)
      this.#find('window', outline(after), this.#inWindow(joined(outline(before), added)));
    else if (result.interruptions.length === 0)
      this.#find('view', outline(sendable(after)), joined(contexts.at(-1) ?? '', 'a'));
  }

  get #isWindowed(): boolean {
    return this.#history.window !== undefined;
  }

  /** The items that a model sees after a turn. */
  #inWindow(seen: string): string {
    const { turns = 0, slack = 0 } = this.#history.window ?? {};
    const letters = seen.split(',');
    const starts = letters.flatMap((letter, at) => (letter === 'u' && letters[at - 1] !== 'u' ? [at] : []));
    if (letters.includes('x') || starts.length <= turns + slack) return seen;
    return letters.slice(starts.at(-turns)).join(',');
  }

  #find(where: string, is: unknown, expected: unknown): void {
    this.found.push({ where, is, expected });
  }

  async compact(which: 0 | 1): Promise<void> {
    await this.#sessions[which].runCompaction({ force: true }).catch((error: unknown) => {
      if (!CompactionError.isInstance(error) || !REFUSALS.has(error.reason)) throw error;
    });
  }

  /** Removes the newest items, down to a message of the user. */
  async undo(which: 0 | 1): Promise<void> {
    this.#waiting = undefined;
    const at = this.#said.findLastIndex(({ letter }) => letter === 'u');
    this.#said = this.#said.slice(0, Math.max(0, at));
    let popped: AgentInputItem | undefined;
    do popped = await this.#sessions[which].popItem();
    while (popped !== undefined && !('role' in popped && popped.role === 'user'));
  }

  change(mode: Mode): void {
    this.#mode = mode;
  }

  restart(which: 0 | 1): void {
    this.#sessions[which] = this.#open();
  }

  async check(): Promise<void> {
    const [one, other] = this.#sessions;
    const { items } = await one.transcript({ limit: 1000 });
    const said = items.map(({ item }) => item).filter(({ type }) => type !== 'compaction');
    this.#find('transcript', outline(said), this.#said.map(({ letter }) => letter).join(','));
    const users = said.filter((item) => 'role' in item && item.role === 'user');
    this.#find(
      'texts',
      texts(users),
      this.#said.flatMap(({ text }) => text ?? []),
    );
    this.#find('processes', await other.getItems(), await one.getItems());
    const { verified, findings, missing, pending } = await one.verify();
    this.#find('proof', [verified, findings, missing, pending], [true, [], [], 0]);
  }
}

async function ran(
  runner: Runner,
  agent: AnyAgent,
  input: string | State,
  session: HybridSession,
  stream: boolean,
): Promise<Result> {
  if (!stream) return runner.run(agent, input, { session });
  const result = await runner.run(agent, input, { session, stream: true });
  await result.completed;
  return result;
}

/** The items without calls and results that lack each other, except calls that wait for an approval. */
function sendable(
  items: readonly AgentInputItem[],
  waiting: readonly (string | undefined)[] = [],
): AgentInputItem[] {
  const calls = new Set<string | undefined>();
  const results = new Set<string | undefined>(waiting);
  for (const item of items) {
    if (item.type === 'function_call') calls.add(item.callId);
    if (item.type === 'function_call_result') results.add(item.callId);
  }
  return items.filter((item) => {
    if (item.type === 'function_call') return results.has(item.callId);
    return item.type !== 'function_call_result' || calls.has(item.callId);
  });
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(',');
}
