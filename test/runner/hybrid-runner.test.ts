import {
  Agent,
  MaxTurnsExceededError,
  MemorySession,
  OpenAIProvider,
  OpenAIResponsesModel,
  run as runOfTheSdk,
  Runner,
  RunResult,
  setDefaultModelProvider,
  setDefaultOpenAIClient,
  StreamedRunResult,
  tool,
  type ModelProvider,
  type RunConfig,
} from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession, run } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';
import { WAYS } from './both-worlds.ts';
import { chainedWorld, decisionsOf, failureOf, replayedWorld, turn, type FlowWorld } from './flow-world.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: () => 'sunny',
});

const expert = new Agent({ name: 'expert', model: 'gpt-4.1' });
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather], handoffs: [expert] });

/** What a runner and an agent tell their listeners. */
async function heard(world: FlowWorld): Promise<string[]> {
  const told: string[] = [];
  const { runner } = world;
  runner.on('agent_start', (_context, { name }) => void told.push(`start ${name}`));
  runner.on('agent_end', (_context, { name }, output) => void told.push(`end ${name}: ${output}`));
  runner.on('agent_handoff', (_context, from, to) => void told.push(`${from.name} to ${to.name}`));
  runner.on('agent_tool_start', (_context, _agent, { name }) => void told.push(`call ${name}`));
  runner.on('agent_tool_end', (_context, _agent, { name }, result) => void told.push(`${name}: ${result}`));
  const hooked = agent.clone({});
  hooked.on('agent_tool_start', (_context, { name }) => void told.push(`own call ${name}`));
  await turn(world, hooked, 'hi');
  await turn(world, hooked, 'call weather {} then call transfer_to_expert');
  return told;
}

describe.each(WAYS)('%s', (_way, stream) => {
  test("HybridRunner emits what the SDK's runner emits, and calls the agent's hooks", async () => {
    const ours = await heard(chainedWorld(stream));
    expect(ours).toEqual(await heard(replayedWorld(stream)));
    expect(ours).toContain('own call weather');
    expect(ours).toContain('Assistant to expert');
  });

  test("HybridRunner fails with the SDK's own errors", async () => {
    const world = chainedWorld(stream);
    expect(await failureOf(turn(world, agent, 'call weather {}', { maxTurns: 1 }))).toBe(
      MaxTurnsExceededError.name,
    );
  });

  test("HybridRunner returns the SDK's own results", async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    const result = await turn(world, agent, 'thanks');
    expect(result).toBeInstanceOf(stream ? StreamedRunResult : RunResult);
    // The caller gets to see the whole history, and not the part that was sent.
    expect(result.history).toHaveLength(4);
    expect(result.input).toHaveLength(3);
    expect(result.rawResponses[0]?.responseId).toBe(result.lastResponseId);
    expect(decisionsOf(world).at(-1)).toBe('extends 1/3');
  });
});

test('HybridRunner is a runner with the given configuration', () => {
  const config: Partial<RunConfig> = {
    workflowName: 'support',
    groupId: 'group',
    traceMetadata: { a: 'b' },
    modelSettings: { temperature: 0.5 },
    reasoningItemIdPolicy: 'omit',
    toolNotFoundBehavior: 'return_error_to_model',
  };
  const ours = new HybridRunner(config);
  expect(ours).toBeInstanceOf(Runner);
  const { modelProvider: _ours, ...mine } = ours.config;
  const { modelProvider: _theirs, ...theirs } = new Runner(config).config;
  expect(mine).toEqual(theirs);
});

test("HybridRunner has the SDK's own signatures", () => {
  const ours: typeof runOfTheSdk = run;
  const theirs: typeof run = runOfTheSdk;
  expect(ours).toHaveLength(theirs.length);
  const OursToo: typeof Runner = HybridRunner;
  expect(new OursToo()).toBeInstanceOf(HybridRunner);
});

test('HybridRunner chains a model that the runner was given as an instance', async () => {
  const { simulator, client } = simulated();
  const runner = new HybridRunner({
    model: new OpenAIResponsesModel(client, 'gpt-4.1'),
    tracingDisabled: true,
  });
  const session = new HybridSession({ client });
  const plain = new Agent({ name: 'Assistant' });
  for (const text of ['hi', 'thanks']) await runner.run(plain, text, { session });
  const asked = simulator.log.filter(({ operation }) => operation === 'responses.create');
  expect(asked.map(({ body }) => typeof body?.['previous_response_id'])).toEqual(['undefined', 'string']);
});

test("HybridRunner asks models through the session's own client, and so do agents that are used as tools", async () => {
  const { simulator } = simulated();
  const client = new OpenAI({
    apiKey: 'of-the-session',
    fetch: simulator.fetch,
    baseURL: 'http://127.0.0.1/v1',
  });
  const helper = new Agent({ name: 'helper', instructions: 'help', model: 'gpt-4.1' });
  const boss = new Agent({
    name: 'boss',
    model: 'gpt-4.1',
    tools: [helper.asTool({ toolName: 'ask', toolDescription: 'Asks' })],
  });
  await run(boss, 'call ask {"input":"hi"}', { session: new HybridSession({ client }) });
  expect(new Set(simulator.log.map(({ tenant }) => tenant)).size).toBe(1);
  expect(simulator.log.filter(({ body }) => body?.['instructions'] === 'help')).toHaveLength(1);
});

test("HybridRunner uses the SDK's default provider if the session has no client of its own, or is not a HybridSession", async () => {
  const { simulator, client } = simulated();
  const names: unknown[] = [];
  const provider = new OpenAIProvider({ openAIClient: client });
  const counting: ModelProvider = {
    getModel: (name) => {
      names.push(name);
      return provider.getModel(name);
    },
  };
  setDefaultModelProvider(counting);
  setDefaultOpenAIClient(client);
  await run(agent, 'hi', { session: new HybridSession() });
  await run(agent, 'hi', { session: new MemorySession() });
  const { finalOutput } = await run(agent, 'hi');
  expect(names).toEqual(['gpt-4.1', 'gpt-4.1', 'gpt-4.1']);
  expect(finalOutput).toContain('I see 1 item');
  const result = await run(agent, 'hi', { stream: true });
  await result.completed;
  expect(result.finalOutput).toBe(finalOutput);
  expect(new Set(simulator.log.map(({ status }) => status))).toEqual(new Set([200]));
});
