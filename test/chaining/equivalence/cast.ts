import { Agent, handoff, tool, type AgentInputItem } from '@openai/agents';
import { z } from 'zod';

const parameters = z.object({ input: z.string() });

const lookUp = tool({
  name: 'look_up',
  description: 'Looks something up',
  parameters,
  execute: ({ input }) => `found ${input}`,
});

const breakDown = tool({
  name: 'break_down',
  description: 'Always fails',
  parameters,
  execute: ({ input }) => {
    throw new Error(`nothing ${input}`);
  },
});

const takePicture = tool({
  name: 'take_picture',
  description: 'Answers with parts',
  parameters,
  execute: ({ input }) => [
    { type: 'text' as const, text: `picture ${input}` },
    { type: 'image' as const, image: 'data:image/png;base64,iVBORw0KGgo=', detail: 'high' as const },
  ],
});

const pay = tool({
  name: 'pay',
  description: 'Needs approval',
  parameters,
  needsApproval: true,
  execute: ({ input }) => `paid ${input}`,
});

/** The API takes a message by its ID only together with the reasoning that led to it. */
function withoutId(item: AgentInputItem): AgentInputItem {
  const { id: _id, ...rest } = { ...item } as AgentInputItem & { id?: string };
  return rest;
}

const helper = new Agent({ name: 'helper', instructions: 'help' });
const quiet = new Agent({ name: 'quiet', instructions: 'quiet', tools: [lookUp] });
const back = new Agent({ name: 'back', instructions: 'back', model: 'gpt-4.1', tools: [lookUp] });
const front = new Agent({
  name: 'front',
  instructions: 'front',
  tools: [
    lookUp,
    breakDown,
    takePicture,
    pay,
    helper.asTool({ toolName: 'ask_helper', toolDescription: 'Asks another agent' }),
  ],
  handoffs: [
    back,
    handoff(quiet, {
      // Tools and what led to them stay behind.
      inputFilter: ({ inputHistory, preHandoffItems, newItems, ...rest }) => ({
        ...rest,
        inputHistory: Array.isArray(inputHistory)
          ? inputHistory.flatMap((item) => ('role' in item ? [withoutId(item)] : []))
          : inputHistory,
        preHandoffItems: preHandoffItems.filter((item) => item.type === 'message_output_item'),
        newItems: newItems.filter((item) => item.type === 'message_output_item'),
      }),
    }),
  ],
});
back.handoffs = [front];
const clerk = new Agent({
  name: 'clerk',
  instructions: 'clerk',
  outputType: z.object({ answer: z.string() }),
  tools: [lookUp],
});

/** A front desk with every kind of tool, a back office to hand off to, and a clerk who answers in JSON. */
export const cast = { front, back, clerk } as const;
