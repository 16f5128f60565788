import { plansIn } from './support/story.ts';
import { Agent, tool, type AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { inBothWorlds, WAYS } from '../runner/both-worlds.ts';
import { decisionsOf, requestsIn, turn } from '../runner/flow-world.ts';
import { simulated } from '../support/simulated.ts';

const parameters = z.object({ city: z.string() });

const weather = tool({
  name: 'weather',
  description: 'The weather in a city',
  parameters,
  execute: ({ city }) => `sunny in ${city}`,
});

const camera = tool({
  name: 'camera',
  description: 'A picture of a city',
  parameters,
  execute: ({ city }) => [
    { type: 'text' as const, text: city },
    { type: 'image' as const, image: 'data:image/png;base64,iVBORw==', detail: 'high' as const },
  ],
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [weather, camera] });

const picture: AgentInputItem = {
  role: 'user',
  content: [
    { type: 'input_text', text: 'what is this?' },
    { type: 'input_image', image: 'https://example.com/a.png', detail: 'low' },
  ],
};

const TURNS: readonly (string | AgentInputItem[])[] = [
  'hi',
  'call weather {"city":"Oslo"} call camera {"city":"Rome"}',
  [picture],
  'call weather {"city":"Bonn"} then call camera {"city":"Bern"}',
  'thanks',
];

describe.each(WAYS)('%s', (_way, stream) => {
  test('a new process at every turn chains on content that was read back from the API', async () => {
    const world = await inBothWorlds(
      stream,
      async (here) => {
        const outputs = [];
        for (const input of TURNS) {
          outputs.push((await turn(here, agent, input)).finalOutput);
          here.reopen();
        }
        return outputs;
      },
      // Content is read back from responses and from the conversation.
      { session: { keepContent: false }, profiles: ['forgets-reasoning', 'rewrites-ids'] },
    );
    expect(decisionsOf(world)).toEqual([
      'no_parent 1/1',
      'extends 1/3',
      'extends 2/7',
      'extends 1/9',
      'extends 1/11',
      'extends 1/13',
      'extends 1/15',
      'extends 1/17',
    ]);
  });

  test('a new process chains with the ID of the conversation alone', async () => {
    const { simulator, client } = simulated();
    const reasons: string[] = [];
    let conversationId: string | undefined;
    for (const input of TURNS) {
      const session = new HybridSession({
        client,
        conversationId,
        onEvent: (event) => void reasons.push(...plansIn([event]).map(({ reason }) => reason)),
      });
      const runner = new HybridRunner({ tracingDisabled: true });
      await turn({ simulator, client, stream, session, runner, reopen: () => undefined }, agent, input);
      ({ conversationId } = session);
    }
    // Behind more than four responses a chain is not read to its beginning: then everything is sent, once.
    expect(reasons).toEqual(['no_parent', ...Array.from({ length: 6 }, () => 'extends'), 'no_parent']);
    expect(requestsIn({ simulator }).at(-1)?.context).toHaveLength(17);
  });
});
