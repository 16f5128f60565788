import {
  RunState,
  type Agent,
  type AgentInputItem,
  type AgentOutputType,
  type CallModelInputFilter,
  type RunResult,
  type SessionInputCallback,
  type StreamedRunResult,
} from '@openai/agents';
import { cast } from './cast.ts';
import type { Step, Turn } from './script.ts';
import type { World } from './world.ts';

type AnyAgent = Agent<unknown, AgentOutputType>;
type Result = RunResult<unknown, AnyAgent> | StreamedRunResult<unknown, AnyAgent>;

/** Plays one step in one world. @returns what the caller got to see. */
export async function play(world: World, step: Step): Promise<unknown> {
  if (step.type === 'turn') return playTurn(world, step);
  await change(world, step);
  return step.type;
}

async function change(world: World, step: Exclude<Step, Turn>): Promise<void> {
  switch (step.type) {
    case 'pop':
      return pop(world, step.count);
    case 'clear':
      return world.session.clearSession();
    case 'edit':
      return edit(world, step.how, step.back);
    case 'mutate':
      return mutate(world);
    case 'fork':
      return world.fork();
    case 'restart':
      return world.restart();
    case 'mode':
      return world.setMode(step.mode);
    case 'forget':
      return world.forget(step.how);
    default:
  }
}

async function playTurn(world: World, turn: Turn): Promise<unknown> {
  const { cut } = turn;
  const mend =
    cut === undefined
      ? () => undefined
      : world.simulator.fault('responses.create', {
          name: 'cut_stream',
          ...cut,
          times: 1,
          when: ({ body }) => body['instructions'] !== 'help',
        });
  try {
    return { output: await run(world, turn) };
  } catch (error) {
    const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { error: said.replaceAll(/[a-z]+_[0-9a-f]{40,}/g, 'an item') };
  } finally {
    mend();
  }
}

async function run(world: World, turn: Turn): Promise<unknown> {
  const agent = cast[turn.agent] as AnyAgent;
  let input: string | AgentInputItem[] | RunState<unknown, AnyAgent> = inputOf(turn);
  for (let round = 0; ; round += 1) {
    const result = await runOnce(world, turn, agent, input);
    if (result.interruptions.length === 0) return result.finalOutput;
    if (round === 4) return 'still interrupted';
    const { state } = result;
    const resumed = turn.approval.asText ? await RunState.fromString(agent, state.toString()) : state;
    for (const interruption of resumed.getInterruptions()) {
      if (turn.approval.approve) resumed.approve(interruption);
      else resumed.reject(interruption);
    }
    input = resumed;
  }
}

async function runOnce(
  world: World,
  turn: Turn,
  agent: AnyAgent,
  input: string | AgentInputItem[] | RunState<unknown, AnyAgent>,
): Promise<Result> {
  const runner = world.runner(turn.model);
  const options = {
    session: world.session,
    ...(turn.maxTurns === undefined ? {} : { maxTurns: turn.maxTurns }),
    ...(turn.filter === undefined ? {} : { callModelInputFilter: filters[turn.filter] }),
    ...(turn.callback === undefined ? {} : { sessionInputCallback: callbacks[turn.callback] }),
  };
  if (!turn.stream) return runner.run(agent, input, options);
  const result = await runner.run(agent, input, { ...options, stream: true });
  for await (const event of result) void event;
  await result.completed;
  return result;
}

function inputOf({ input, text }: Turn): string | AgentInputItem[] {
  if (input === 'text') return text;
  const message: AgentInputItem = {
    role: 'user',
    content: [
      { type: 'input_text', text },
      ...(input === 'image' ? [{ type: 'input_image' as const, image: 'https://example.com/a.png' }] : []),
    ],
  };
  return [{ role: 'user', content: 'listen' }, message];
}

const note: AgentInputItem = { role: 'system', content: 'a note' };

const filters: Record<NonNullable<Turn['filter']>, CallModelInputFilter> = {
  preface: ({ modelData }) => ({ ...modelData, input: [note, ...modelData.input] }),
  redact: ({ modelData }) => ({ ...modelData, input: modelData.input.map((item) => redacted(item)) }),
  recent: ({ modelData }) => ({ ...modelData, input: recent(modelData.input) }),
};

const callbacks: Record<NonNullable<Turn['callback']>, SessionInputCallback> = {
  keep: (history, input) => [...history, ...input],
  recent: (history, input) => [...recent(history), ...input],
  note: (history, input) => [...history, note, ...input],
};

/** By content alone: the API would take a message by its ID as it was. */
function redacted(item: AgentInputItem): AgentInputItem {
  if (!('role' in item) || item.role !== 'user') return item;
  const { id: _id, content, ...rest } = item;
  if (typeof content === 'string') return { ...rest, content: content.replaceAll('i', '_') };
  const parts = content.map((part) =>
    part.type === 'input_text' ? { ...part, text: part.text.replaceAll('i', '_') } : part,
  );
  return { ...rest, content: parts };
}

/** What begins with the newest word of the user: calls and their outputs stay together. */
function recent(items: AgentInputItem[]): AgentInputItem[] {
  return items.slice(
    Math.max(
      0,
      items.findLastIndex((item) => 'role' in item && item.role === 'user'),
    ),
  );
}

async function pop({ session }: World, count: number): Promise<void> {
  let left = count;
  while (left > 0) {
    const popped = await session.popItem();
    if (popped === undefined) return;
    if (popped.type !== 'reasoning') left -= 1;
  }
  await dropLooseReasoning(session);
}

/** Reasoning that leads to nothing any more is refused by the API. */
async function dropLooseReasoning(session: World['session']): Promise<void> {
  while ((await session.getItems(1)).at(0)?.type === 'reasoning') await session.popItem();
}

let operations = 0;

async function edit(
  { session }: World,
  how: Extract<Step, { type: 'edit' }>['how'],
  back: number,
): Promise<void> {
  const items = await session.getItems();
  const messages = items.flatMap((item, index) => ('role' in item && item.role !== 'system' ? [index] : []));
  const index = messages.at(-1 - back);
  const edited = index === undefined ? undefined : items[index];
  if (index === undefined || edited === undefined || !('role' in edited)) return;
  const before = items.slice(0, index);
  const after = items.slice(index + 1);
  const reasoning: AgentInputItem[] = [];
  while (before.at(-1)?.type === 'reasoning') reasoning.unshift(...before.splice(-1));
  const middle = {
    reword: [...reasoning, reworded(edited)],
    drop: after[0] === undefined || 'role' in after[0] ? [] : reasoning,
    insert: [user('by the way'), ...reasoning, edited],
  }[how];
  const result = [...before, ...middle, ...after];
  const kept = result.findIndex((item, at) => item !== items[at]);
  const keep = kept === -1 ? Math.min(result.length, items.length) : kept;
  await transact(session, items.slice(keep), result.slice(keep));
}

function reworded(item: Extract<AgentInputItem, { role: string }>): AgentInputItem {
  if (item.role !== 'assistant') return user('in other words');
  const { id: _id, providerData: _data, ...rest } = item;
  return { ...rest, content: [{ type: 'output_text', text: 'in my words' }] };
}

function user(content: string): AgentInputItem {
  return { type: 'message', role: 'user', content };
}

async function transact(
  session: World['session'],
  expectedSuffix: AgentInputItem[],
  replacement: AgentInputItem[],
): Promise<void> {
  if (!('applyHistoryTransaction' in session)) throw new Error('The session cannot be edited');
  if (typeof session.applyHistoryTransaction !== 'function') throw new Error('The session cannot be edited');
  if (expectedSuffix.length === 0) return;
  operations += 1;
  await session.applyHistoryTransaction({
    operationId: `edit-${operations}`,
    transaction: { type: 'replace_suffix', expectedSuffix, replacement },
  });
}

async function mutate({ session }: World): Promise<void> {
  const call = (await session.getItems()).findLast((item) => item.type === 'function_call');
  if (call === undefined || !('applyHistoryMutations' in session)) return;
  if (typeof session.applyHistoryMutations !== 'function') return;
  const replacement = { ...call, arguments: JSON.stringify({ input: 'something else' }) };
  await session.applyHistoryMutations({
    mutations: [{ type: 'replace_function_call', callId: call.callId, replacement }],
  });
}
