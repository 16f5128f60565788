import {
  Agent,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  type AgentInputItem,
  type Session,
} from '@openai/agents';
import type OpenAI from 'openai';
import { HybridSession } from '../index.ts';

/** The turns of the report. */
export const PROMPTS = ['hi', 'what can you do?', 'give me one example', 'thanks'] as const;

/** The sessions that are compared. */
export const SESSIONS = ['OpenAIConversationsSession', 'HybridSession'] as const;

/** What happened to one session with one model. */
export interface Story {
  readonly model: string;
  readonly session: (typeof SESSIONS)[number];
  /** The roles that the session served before and after each turn, such as `u,a,u`. */
  readonly turns: readonly { readonly before: string; readonly after: string }[];
  /** Assistant messages that the model gave. */
  readonly answers: number;
  /** How many of them the session serves at the end, in the order in which they were given. */
  readonly surviving: number;
  /** Whether the session serves at the end exactly what was said, message by message. */
  readonly intact: boolean;
  /** The roles in the conversation's list, where they differ from what the session serves. */
  readonly list: string | null;
  /** The model's answer to the last turn: the simulated one says what it saw. */
  readonly answer: string;
  /** The turn that failed, counted from 1, and why; the story ends there. */
  readonly failure: { readonly turn: number; readonly reason: string } | null;
}

/** What to live through. */
export interface StoryOptions {
  readonly client: OpenAI;
  readonly model: string;
  readonly session: (typeof SESSIONS)[number];
  readonly turns: number;
}

/** Lives through the turns with one session. */
export type TellStory = (options: StoryOptions) => Promise<Story>;

/**
 * Lives through the turns with one session, and deletes its conversation afterwards.
 *
 * A loss can make a later turn fail: that belongs to the story.
 *
 * @throws what the first turn throws: then nothing has been lost yet, and something else is wrong.
 */
export const tellStory: TellStory = async ({ client, model, session: kind, turns }) => {
  const session: Session =
    kind === 'HybridSession'
      ? new HybridSession({ client, checkList: 'every-read' })
      : new OpenAIConversationsSession({ client });
  const conversationId = await session.getSessionId();
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: client }),
    tracingDisabled: true,
  });
  const agent = new Agent({ name: 'Assistant', instructions: 'Answer in one short sentence.', model });
  const told: { before: string; after: string }[] = [];
  const said: AgentInputItem[] = [];
  let answer = '';
  let failure: Story['failure'] = null;
  try {
    for (let turn = 0; turn < turns && failure === null; turn += 1) {
      const prompt = PROMPTS[turn % PROMPTS.length] ?? '';
      try {
        const before = roles(await session.getItems());
        const result = await runner.run(agent, prompt, { session });
        said.push({ role: 'user', content: prompt }, ...result.output);
        answer = result.finalOutput ?? '';
        told.push({ before, after: roles(await session.getItems()) });
      } catch (error) {
        if (told.length === 0) throw error;
        failure = { turn: turn + 1, reason: error instanceof Error ? error.message : String(error) };
      }
    }
    const items = await session.getItems();
    const served = messages(items);
    const given = messages(said);
    const stock = new OpenAIConversationsSession({ client, conversationId });
    const listed = roles(await stock.getItems());
    return {
      model,
      session: kind,
      turns: told,
      answers: given.filter(isAnswer).length,
      surviving: survivors(given.filter(isAnswer), served),
      intact: failure === null && JSON.stringify(served) === JSON.stringify(given),
      list: listed === roles(items) ? null : listed,
      answer,
      failure,
    };
  } finally {
    await client.conversations.delete(conversationId).catch(() => undefined);
  }
};

interface Message {
  readonly role: string;
  readonly text: string;
}

function isAnswer({ role }: Message): boolean {
  return role === 'assistant';
}

function messages(items: readonly AgentInputItem[]): Message[] {
  return items.flatMap((item) => {
    if (!('role' in item)) return [];
    const { role, content } = item;
    if (typeof content === 'string') return [{ role, text: content }];
    return [{ role, text: content.map((part) => ('text' in part ? part.text : '')).join('') }];
  });
}

/** How many of the answers are served in the order in which they were given; one served twice counts once. */
function survivors(answers: readonly Message[], served: readonly Message[]): number {
  let from = 0;
  let count = 0;
  for (const answer of answers) {
    const at = served.findIndex((one, index) => index >= from && isAnswer(one) && one.text === answer.text);
    if (at === -1) continue;
    from = at + 1;
    count += 1;
  }
  return count;
}

function roles(items: readonly AgentInputItem[]): string {
  return items.map((item) => ('role' in item ? item.role.slice(0, 1) : item.type)).join(',');
}
