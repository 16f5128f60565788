import { OpenAIConversationsSession, type AgentInputItem, type Runner } from '@openai/agents';
import type OpenAI from 'openai';
import type { SimulatorCore, SimulatorOptions } from '../../mocks/simulator.ts';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore, type Mode } from '../../src/index.ts';
import type { Diagnosis } from '../../src/doctor.ts';
import { assistantAgent } from '../flows/support/story.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';

/** Some turns in a row, with the stock session or in one mode. */
export interface Stage {
  readonly mode: 'stock' | Mode;
  readonly turns: number;
}

/** How stages are lived through. */
export interface StagesOptions extends Pick<SimulatorOptions, 'inputItems' | 'unlink'> {
  /** Whether every second turn calls a tool. */
  readonly tools?: boolean;
  /** Whether the turns of modes go through this package's runner; else through the SDK's. */
  readonly ours?: boolean;
  /**
   * The user's message in a turn.
   *
   * @default a different message in every turn
   */
  readonly say?: (turn: number) => string;
  /** Whether each stage has a session of its own, as in a process of its own. */
  readonly isAnew?: boolean;
  readonly model?: string;
}

/** A conversation that was led in several modes, one after the other. */
export interface LivedStages {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly ledger: LedgerStore;
  readonly conversationId: string;
  /** The IDs of all responses, oldest first. */
  readonly responses: readonly string[];
  /** The whole history, in words: see `wordsOf`. */
  readonly said: readonly string[];
  /** The items of sessions with a ledger. */
  readonly recorded: readonly string[];
}

/** Lives through the stages: one stock session, and one session for all modes, on the same conversation. */
export async function livedStages(
  stages: readonly Stage[],
  {
    inputItems,
    unlink,
    tools = false,
    ours = true,
    isAnew = false,
    say,
    model = 'gpt-5.4',
  }: StagesOptions = {},
): Promise<LivedStages> {
  const { simulator, client } = simulated({
    ...(inputItems === undefined ? {} : { inputItems }),
    ...(unlink === undefined ? {} : { unlink }),
  });
  const ledger = memoryLedger();
  const { id: conversationId } = await client.conversations.create();
  const stock = new OpenAIConversationsSession({ client, conversationId });
  let mode: Mode = 'off';
  const open = (): HybridSession =>
    new HybridSession({ client, conversationId, ledger, rollout: () => mode });
  let hybrid = open();
  const agent = assistantAgent(model);
  const stockRunner = simulatedRunner(client);
  const modeRunner: Runner = ours ? new HybridRunner({ tracingDisabled: true }) : stockRunner;
  const items: AgentInputItem[] = [];
  const recorded: AgentInputItem[] = [];
  let turn = 0;
  for (const stage of stages) {
    const isStock = stage.mode === 'stock';
    if (stage.mode !== 'stock') mode = stage.mode;
    if (isAnew) hybrid = open();
    for (let nth = 0; nth < stage.turns; nth += 1, turn += 1) {
      const text = say?.(turn) ?? `turn ${turn}`;
      const asked = tools && turn % 2 === 0 ? `${text} call get_weather {"city":"City${turn}"}` : text;
      const { newItems } = await (isStock ? stockRunner : modeRunner).run(agent, asked, {
        session: isStock ? stock : hybrid,
      });
      const said: AgentInputItem[] = [{ type: 'message', role: 'user', content: asked }];
      for (const { rawItem } of newItems) if (rawItem !== undefined) said.push(rawItem);
      items.push(...said);
      if (!isStock) recorded.push(...said);
    }
  }
  const responses = simulator.snapshot().responses.map(({ id }) => id);
  const words = { said: wordsOf(items), recorded: wordsOf(recorded) };
  return { simulator, client, ledger, conversationId, responses, ...words };
}

/** Each item in words: its content for a model. */
export function wordsOf(items: readonly (AgentInputItem | undefined)[]): string[] {
  return items.map((item) => {
    if (item === undefined) return 'nothing';
    if ('role' in item) {
      const { role, content } = item;
      const parts = typeof content === 'string' ? [content] : content;
      return `${role}: ${parts.map((part) => (typeof part === 'string' ? part : 'text' in part ? part.text : part.type)).join('')}`;
    }
    if (item.type === 'function_call') return `call: ${item.name} ${item.arguments}`;
    if (item.type === 'function_call_result') return `result: ${resultText(item.output)}`;
    return item.type ?? 'nothing';
  });
}

function resultText(output: unknown): string {
  if (typeof output === 'string') return output;
  return typeof output === 'object' && output !== null && 'text' in output ? String(output.text) : '?';
}

/** The history of a diagnosis, in words. */
export function countedBy({ timeline }: Diagnosis): string[] {
  return wordsOf(timeline.flatMap(({ index, item }) => (index === null ? [] : [item])));
}
