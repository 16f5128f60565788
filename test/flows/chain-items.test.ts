import {
  Agent,
  applyPatchTool,
  computerTool,
  hostedMcpTool,
  shellTool,
  tool,
  type AgentInputItem,
} from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { PROFILES } from '../support/profiles.ts';
import type { FlowWorld } from '../runner/flow-world.ts';
import { z } from 'zod';
import type { ModelAnswer, Respond } from '../../mocks/index.ts';
import { inBothWorlds, WAYS, type Scenario } from '../runner/both-worlds.ts';
import { decisionsOf, requestsIn, turn } from '../runner/flow-world.ts';

const model = 'gpt-4.1';
const PIXEL = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);

/** Answers the first request of a turn with these items, and every other one with how much it sees. */
function opening(...items: readonly object[]): Respond {
  return (context): ModelAnswer => {
    const isAsked = JSON.stringify(context.at(-1)).includes('go');
    return isAsked ? { items } : { text: `I see ${context.length} items` };
  };
}

/** A life in which the second turn begins with those items. */
function talk(agent: Agent, ...more: readonly string[]): Scenario {
  return async (here) => {
    const outputs = [];
    for (const text of ['hi', 'go', 'thanks', ...more]) {
      outputs.push((await turn(here, agent, text)).finalOutput);
    }
    return outputs;
  };
}

function said(text: string): object {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { type: 'message', role: 'assistant', status: 'completed', content };
}

const nothing = async (): Promise<void> => undefined;

describe.each(WAYS)('%s', (_way, stream) => {
  test('images and files of a user and of a tool are chained', async () => {
    const camera = tool({
      name: 'camera',
      description: 'Takes a picture',
      parameters: z.object({}),
      execute: () => [
        { type: 'text' as const, text: 'a picture' },
        { type: 'image' as const, image: { data: PIXEL, mediaType: 'image/png' } },
        { type: 'file' as const, file: { data: PIXEL, mediaType: 'application/pdf', filename: 'a.pdf' } },
      ],
    });
    const agent = new Agent({ name: 'Assistant', model, tools: [camera] });
    const picture: AgentInputItem = {
      role: 'user',
      content: [
        { type: 'input_text', text: 'look, and call camera {}' },
        { type: 'input_image', image: 'data:image/png;base64,iVBORw==', detail: 'high' },
        { type: 'input_file', file: 'data:application/pdf;base64,iVBORw==', filename: 'b.pdf' },
      ],
    };
    const world = await inBothWorlds(stream, async (here) => {
      const outputs = [(await turn(here, agent, [picture])).finalOutput];
      for (const text of ['thanks', 'bye']) {
        here.reopen();
        outputs.push((await turn(here, agent, text)).finalOutput);
      }
      return outputs;
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
  });

  test('shell output is sent and chained', async () => {
    const agent = new Agent({
      name: 'Assistant',
      model,
      tools: [
        shellTool({
          shell: {
            run: async () => ({
              output: [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exitCode: 0 } }],
            }),
          },
        }),
      ],
    });
    const shellCall = {
      type: 'shell_call',
      call_id: 'call_shell',
      status: 'completed',
      action: { commands: ['ls'] },
    };
    const world = await inBothWorlds(stream, talk(agent), { simulator: { respond: opening(shellCall) } });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
  });

  test('the outcome of a patch is sent and chained', async () => {
    const agent = new Agent({
      name: 'Assistant',
      model,
      tools: [
        applyPatchTool({
          editor: {
            createFile: async () => ({ status: 'completed' }),
            updateFile: async () => ({ status: 'failed', output: 'no such file' }),
            deleteFile: async () => ({ status: 'completed' }),
          },
        }),
      ],
    });
    const patchCall = {
      type: 'apply_patch_call',
      call_id: 'call_patch',
      status: 'completed',
      operation: { type: 'update_file', path: 'a.txt', diff: '+a' },
    };
    const world = await inBothWorlds(stream, talk(agent), { simulator: { respond: opening(patchCall) } });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
  });

  test('a screenshot is sent and chained', async () => {
    const agent = new Agent({
      name: 'Assistant',
      model,
      tools: [
        computerTool({
          computer: {
            environment: 'browser',
            dimensions: [10, 10],
            screenshot: async () => 'iVBORw==',
            click: nothing,
            doubleClick: nothing,
            scroll: nothing,
            type: nothing,
            wait: nothing,
            move: nothing,
            keypress: nothing,
            drag: nothing,
          },
        }),
      ],
    });
    const computerCall = {
      type: 'computer_call',
      call_id: 'call_computer',
      status: 'completed',
      pending_safety_checks: [],
      action: { type: 'screenshot' },
    };
    const world = await inBothWorlds(stream, talk(agent), { simulator: { respond: opening(computerCall) } });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
  });

  test.each(['approve', 'reject'] as const)(
    "the answer to a hosted tool's approval request is sent: %s",
    async (decide) => {
      const agent = new Agent({
        name: 'Assistant',
        model,
        tools: [
          hostedMcpTool({
            serverLabel: 'files',
            serverUrl: 'http://127.0.0.1/mcp',
            requireApproval: 'always',
          }),
        ],
      });
      const approvalRequest = {
        type: 'mcp_approval_request',
        server_label: 'files',
        name: 'read',
        arguments: '{"path":"a.txt"}',
      };
      const world = await inBothWorlds(
        stream,
        async (here) => {
          await turn(here, agent, 'hi');
          const { state } = await turn(here, agent, 'go');
          for (const interruption of state.getInterruptions()) state[decide](interruption);
          const outputs = [(await turn(here, agent, state)).finalOutput];
          return [...outputs, (await turn(here, agent, 'thanks')).finalOutput];
        },
        { simulator: { respond: opening(approvalRequest) } },
      );
      expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/5', 'extends 1/7']);
    },
  );

  test('calls of hosted tools are chained without being sent again', async () => {
    const agent = new Agent({ name: 'Assistant', model });
    const search = {
      type: 'web_search_call',
      status: 'completed',
      action: { type: 'search', query: 'news' },
    };
    const world = await inBothWorlds(stream, talk(agent), {
      simulator: {
        respond: opening(said('found'), search),
      },
    });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/6']);
  });

  test('a request after a compaction by the server continues from its response', async () => {
    const agent = new Agent({
      name: 'Assistant',
      model,
      modelSettings: { contextManagement: [{ type: 'compaction', compactThreshold: 1000 }] },
    });
    const live = async (here: FlowWorld): Promise<unknown> => {
      const outputs = [];
      for (const text of ['hi', 'word '.repeat(3000), 'bye', 'good bye'])
        outputs.push((await turn(here, agent, text)).finalOutput);
      return outputs;
    };
    // A server that ignores the parent compacts another context, which counts as an answer.
    const profiles = PROFILES.filter((profile) => profile !== 'ignores-parent');
    const world = await inBothWorlds(stream, live, { profiles });
    expect(decisionsOf(world)).toEqual(['no_parent 1/1', 'extends 1/3', 'extends 1/3', 'extends 1/5']);
  });

  test('the server truncates a chained context like a replayed one', async () => {
    const agent = new Agent({ name: 'Assistant', model, modelSettings: { truncation: 'auto' } });
    const world = await inBothWorlds(
      stream,
      async (here) => {
        const outputs = [];
        for (let index = 0; index < 8; index += 1) {
          outputs.push((await turn(here, agent, `question ${index} ${'x'.repeat(200)}`)).finalOutput);
        }
        return outputs;
      },
      { simulator: { contextWindow: 400 } },
    );
    expect(
      decisionsOf(world)
        .slice(1)
        .every((decision) => decision.startsWith('extends 1/')),
    ).toBe(true);
    // The model saw less than the server holds.
    expect(requestsIn(world).at(-1)?.context).toHaveLength(15);
  });
});
