import {
  Agent,
  computerTool,
  OpenAIConversationsSession,
  OpenAIResponsesModel,
  withTrace,
  type AgentInputItem,
  type Computer,
} from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/items/read-item.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { recorder } from '../flows/support/story.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** One pixel. */
const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What a model may put out, as the API sends it. */
const OUTPUT: readonly object[] = [
  {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    phase: 'commentary',
    content: [text('one moment')],
  },
  {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [
      {
        ...text('see [1]'),
        annotations: [
          { type: 'url_citation', url: 'https://example.com/', title: 'E', start_index: 4, end_index: 7 },
        ],
      },
      { type: 'refusal', refusal: 'no more than that' },
    ],
  },
  { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'weather' } },
  { type: 'file_search_call', status: 'completed', queries: ['weather'], results: null },
  {
    type: 'code_interpreter_call',
    status: 'completed',
    code: '1 + 1',
    container_id: 'cntr_1',
    outputs: null,
  },
  { type: 'image_generation_call', status: 'completed', result: 'aGk=' },
  {
    type: 'mcp_list_tools',
    server_label: 'files',
    tools: [{ name: 'read', input_schema: { type: 'object' } }],
  },
  { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 'files', name: 'read', arguments: '{}' },
  { type: 'mcp_call', server_label: 'files', name: 'read', arguments: '{}', output: 'a file' },
  {
    type: 'function_call',
    status: 'completed',
    call_id: 'call_1',
    name: 'look_up',
    arguments: '{"key":"a"}',
  },
  {
    type: 'function_call',
    status: 'completed',
    call_id: 'call_2',
    name: 'look_up',
    arguments: '{"key":"b"}',
  },
  { type: 'function_call', status: 'completed', call_id: 'call_3', name: 'draw', arguments: '{}' },
  { type: 'custom_tool_call', call_id: 'call_4', name: 'grep', input: 'needle' },
  {
    type: 'computer_call',
    call_id: 'call_5',
    status: 'completed',
    action: { type: 'click', x: 1, y: 2, button: 'left' },
    pending_safety_checks: [],
  },
  { type: 'shell_call', call_id: 'call_6', status: 'completed', action: { commands: ['ls'] } },
  {
    type: 'apply_patch_call',
    call_id: 'call_7',
    status: 'completed',
    operation: { type: 'create_file', path: 'a.txt', diff: '+a' },
  },
];

/** What people and tools say, in the SDK's form. */
const INPUT: readonly AgentInputItem[] = [
  { type: 'message', role: 'system', content: 'be brief' },
  { type: 'message', role: 'user', content: 'plain' },
  {
    type: 'message',
    role: 'user',
    content: [
      { type: 'input_text', text: 'with parts' },
      { type: 'input_image', image: PNG, detail: 'high' },
      { type: 'input_image', image: { id: 'file_1' } },
      { type: 'input_file', file: { id: 'file_2' } },
      { type: 'input_file', file: 'https://example.com/a.pdf' },
    ],
  },
];

const RESULTS: readonly AgentInputItem[] = [
  { type: 'function_call_result', callId: 'call_1', name: 'look_up', status: 'completed', output: 'found' },
  {
    type: 'function_call_result',
    callId: 'call_2',
    name: 'look_up',
    status: 'completed',
    output: { type: 'text', text: '{"found":true}' },
  },
  {
    type: 'function_call_result',
    callId: 'call_3',
    name: 'draw',
    status: 'completed',
    output: [
      { type: 'input_text', text: 'drawn' },
      { type: 'input_image', image: PNG },
    ],
  },
  {
    type: 'computer_call_result',
    callId: 'call_5',
    output: { type: 'computer_screenshot', data: PNG },
  },
  {
    type: 'shell_call_output',
    callId: 'call_6',
    output: [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exitCode: 0 } }],
  },
  { type: 'apply_patch_call_output', callId: 'call_7', status: 'completed', output: 'done' },
  { type: 'compaction', encrypted_content: 'opaque' },
];

function text(value: string): { type: string; text: string; annotations: object[]; logprobs: object[] } {
  return { type: 'output_text', text: value, annotations: [], logprobs: [] };
}

/** Items of every type: the model's as the SDK reads them from a real response, with the IDs that the API knows. */
async function everything({ client }: Simulated): Promise<AgentInputItem[]> {
  const model = new OpenAIResponsesModel(client, 'gpt-5');
  const { output } = await withTrace('everything', () =>
    model.getResponse({
      input: 'do everything',
      modelSettings: {},
      tools: [],
      outputType: 'text',
      handoffs: [],
      tracing: false,
    }),
  );
  return [...INPUT, ...output, ...RESULTS];
}

const done = async (): Promise<void> => undefined;

const computer: Computer = {
  environment: 'browser',
  dimensions: [1, 1],
  screenshot: async () => PNG,
  click: done,
  doubleClick: done,
  drag: done,
  keypress: done,
  move: done,
  scroll: done,
  type: done,
  wait: done,
};

function world(): Simulated {
  return simulated({ respond: () => ({ reasoning: 'thinking', items: OUTPUT }) });
}

/** What must stay of an item: all that can be written as JSON, but for its ID. */
function withoutId(item: AgentInputItem): object {
  return JSON.parse(JSON.stringify({ ...item, id: undefined, providerData: undefined })) as object;
}

const kinds = (items: readonly AgentInputItem[]): string[] => items.map((item) => kindOf(item));
const digests = (items: readonly AgentInputItem[]): (string | null)[] =>
  items.map((item) => itemDigest(item));

describe('items of every type', () => {
  it('the tests cover items of every type', async () => {
    expect(new Set(kinds(await everything(world()))).size).toBeGreaterThanOrEqual(20);
  });

  it.each(['rebuild', 'chain'] as const)('come back from mode %s as they were', async (rollout) => {
    const there = world();
    const items = await everything(there);
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client: there.client, rollout, onEvent });
    await session.addItems(items);
    const served = await session.getItems();
    for (const [index, item] of items.entries()) {
      expect(served[index]).toMatchObject(withoutId(item));
    }
    expect(served.length).toBe(items.length);
    expect(problems()).toEqual([]);
    expect(await session.verify()).toMatchObject({
      verified: true,
      pending: 0,
      findings: [],
      listed: items.length,
    });
  });

  it.each(['off', 'shadow'] as const)(
    'come back from mode %s as the stock session reads them',
    async (rollout) => {
      const there = world();
      const items = await everything(there);
      const session = new HybridSession({ client: there.client, rollout });
      await session.addItems(items);
      const conversationId = await session.getSessionId();
      const stock = new OpenAIConversationsSession({ client: there.client, conversationId });
      expect(await session.getItems()).toEqual(await stock.getItems());
      expect((await session.getItems()).length).toBe(items.length);
    },
  );

  it('items of every type are read back by a fresh session with keepContent: false', async () => {
    const there = world();
    const items = await everything(there);
    const ledger = memoryLedger();
    const options = { client: there.client, keepContent: false } as const;
    const first = new HybridSession({ ...options, ledger });
    await first.addItems(items);
    const conversationId = await first.getSessionId();
    const fresh = new HybridSession({ ...options, ledger: elsewhere(ledger), conversationId });
    const served = await fresh.getItems();
    expect(digests(served)).toEqual(digests(items));
    expect(await fresh.verify()).toMatchObject({
      verified: true,
      missing: [],
      sources: { list: items.length },
    });
  });

  it('items of every type are adopted from the conversation alone', async () => {
    const there = world();
    const items = await everything(there);
    const first = new HybridSession({ client: there.client });
    await first.addItems(items);
    const conversationId = await first.getSessionId();
    const stranger = new HybridSession({ client: there.client, conversationId });
    expect(digests(await stranger.getItems())).toEqual(digests(items));
  });

  it('a computer call reaches the model with its result from the conversation alone', async () => {
    const click = OUTPUT.filter((item) => 'type' in item && item.type === 'computer_call');
    const answers = [{ items: click }, 'clicked', 'fine'];
    const { client, simulator } = simulated({ respond: () => answers.shift() ?? '' });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [computerTool({ computer })] });
    const first = new HybridSession({ client });
    await simulatedRunner(client).run(agent, 'click it', { session: first });
    const session = new HybridSession({ client, conversationId: await first.getSessionId() });
    const { finalOutput } = await simulatedRunner(client).run(agent, 'go on', { session });
    expect(finalOutput).toBe('fine');
    const { context = [] } = simulator.log.findLast(({ path }) => path === '/responses') ?? {};
    const types = context.map(({ type }) => type);
    expect(types).toEqual(['message', 'computer_call', 'computer_call_output', 'message', 'message']);
  });

  it('live without a conversation, too', async () => {
    const there = world();
    const items = await everything(there);
    const session = new HybridSession({ client: there.client, mirror: 'off', sessionId: 'session-1' });
    await session.addItems(items);
    expect(await session.getItems()).toEqual(items);
    expect(await session.verify()).toMatchObject({ verified: true, listed: undefined });
  });

  it('items of every type are popped one by one, newest first', async () => {
    const there = world();
    const items = await everything(there);
    const session = new HybridSession({ client: there.client });
    await session.addItems(items);
    const popped: AgentInputItem[] = [];
    for (let item = await session.popItem(); item !== undefined; item = await session.popItem()) {
      popped.push(item);
    }
    expect(digests(popped.toReversed())).toEqual(digests(items));
    expect(await session.verify()).toMatchObject({ length: 0, listed: 0, pending: 0 });
  });
});
