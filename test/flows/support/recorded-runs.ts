import { Agent, tool, type AgentInputItem, type Tool } from '@openai/agents';
import type OpenAI from 'openai';
import { z } from 'zod';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import { textOf, type Respond } from '../../../mocks/index.ts';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type HybridRunnerConfig,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../../src/index.ts';
import { Ledger } from '../../../src/ledger/ledger.ts';
import type { LedgerState } from '../../../src/ledger/state.ts';
import { simulated } from '../../support/simulated.ts';

/**
 * Calls the tools that the newest message names, in one step; `again` as often as the run lets it. The answer depends on nothing
 * else, so that two worlds can be compared.
 */
export const callsNamedTools: Respond = (context) => {
  const asked = context.findLastIndex((item) => item['role'] === 'user');
  const text = textOf(context[asked] ?? {});
  const steps = context.slice(asked).filter(({ type }) => type === 'function_call').length;
  const names = ['find', 'break', 'wait'].filter((name) => text.includes(name));
  if (names.length > 0 && (steps === 0 || text.includes('again') || (text.includes('twice') && steps === 1)))
    return { calls: names.map((name) => ({ name, callId: `call_${name}_${asked}_${steps}` })) };
  return `answer to ${text}`;
};

export interface RecordedWorld {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly store: LedgerStore;
  readonly session: HybridSession;
  readonly runner: HybridRunner;
  readonly agent: Agent;
  /** The tools `find`, which works, and `break`, which throws while `isBroken`. */
  readonly tools: readonly Tool[];
  isBroken: boolean;
  /** Another session object, as another process has it. */
  readonly reopen: (options?: HybridSessionOptions) => HybridSession;
  readonly state: () => Promise<LedgerState>;
}

export function recordedWorld(
  config: HybridRunnerConfig = { record: 'as-it-goes' },
  options: HybridSessionOptions = {},
): RecordedWorld {
  const { simulator, client } = simulated({ respond: callsNamedTools });
  const store = options.ledger ?? memoryLedger();
  const reopen = (other: HybridSessionOptions = {}): HybridSession =>
    new HybridSession({ client, sessionId: 'recorded', ...options, ...other, ledger: store });
  const find = tool({
    name: 'find',
    description: 'Finds',
    parameters: z.object({}),
    execute: () => 'found',
  });
  const broken = tool({
    name: 'break',
    description: 'Breaks',
    parameters: z.object({}),
    errorFunction: null,
    execute: () => {
      if (world.isBroken) throw new Error('a secret of the tool');
      return 'mended';
    },
  });
  const tools: Tool[] = [find, broken];
  const world: RecordedWorld = {
    simulator,
    client,
    store,
    session: reopen(),
    runner: new HybridRunner({ tracingDisabled: true, ...config }),
    agent: new Agent({ name: 'Assistant', model: 'gpt-4.1', tools }),
    tools,
    isBroken: true,
    reopen,
    state: () => new Ledger({ store, sessionId: 'recorded' }).readAt(),
  };
  return world;
}

/** The items in a few words: `user: hi`, `call find`, `find: found`, `assistant: hello`. */
export function told(items: readonly AgentInputItem[]): string[] {
  return items.map((item) => {
    if (item.type === 'function_call') return `call ${item.name}`;
    if (item.type === 'function_call_result') {
      const { output } = item;
      const isText = typeof output === 'object' && 'text' in output;
      return `${item.name}: ${isText ? output.text : JSON.stringify(output)}`;
    }
    if (!('role' in item)) return item.type;
    const { role, content } = item;
    const text =
      typeof content === 'string'
        ? content
        : content.map((part) => ('text' in part ? part.text : '')).join('');
    return `${role}: ${text}`;
  });
}

/** The body of the newest request to the model. */
export function newestRequest(simulator: SimulatorCore): Readonly<Record<string, unknown>> {
  return simulator.log.findLast(({ operation }) => operation === 'responses.create')?.body ?? {};
}
