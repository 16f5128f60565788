import {
  Agent,
  OpenAIConversationsSession,
  OpenAIProvider,
  Runner,
  type AgentInputItem,
  type Session,
} from '@openai/agents';
import type OpenAI from 'openai';
import { HybridSession } from '../../index.ts';

/** The turns of the report. */
export const PROMPTS = ['hi', 'what can you do?', 'give me one example', 'thanks'] as const;

/** The sessions that are compared. */
export const SESSIONS = ['OpenAIConversationsSession', 'HybridSession'] as const;

/** One session with one model, turn by turn. */
export interface Story {
  readonly model: string;
  readonly session: (typeof SESSIONS)[number];
  /** The roles that the session served before and after each turn, such as `u,a,u`. */
  readonly turns: readonly { readonly before: string; readonly after: string }[];
  /** Assistant messages that the model gave. */
  readonly answers: number;
  /** The answers that the session serves at the end, in order. */
  readonly surviving: number;
  /** Whether the session serves exactly the given messages at the end. */
  readonly intact: boolean;
  /** The roles in the conversation's list, if they differ from the served ones. */
  readonly list: string | null;
  /** The model's last answer; the simulated model reports its input. */
  readonly answer: string;
  /** The turn that failed, counted from 1, and why; the story ends there. */
  readonly failure: { readonly turn: number; readonly reason: string } | null;
}

/** Options of a story. */
export interface StoryOptions {
  readonly client: OpenAI;
  readonly model: string;
  readonly session: (typeof SESSIONS)[number];
  readonly turns: number;
}

/** Runs the turns with one session. */
export type TellStory = (options: StoryOptions) => Promise<Story>;

/**
 * Runs the turns with one session, and deletes its conversation afterwards.
 *
 * A loss can make a later turn fail: that is part of the story.
 *
 * @throws errors of the first turn, which no loss can cause.
 */
export const tellStory: TellStory = async ({ client, model, session: kind, turns }) => {
  const session: Session =
    kind === 'HybridSession'
      ? new HybridSession({ client, advanced: { compare: 'on-read' }, bookmark: false })
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

/** The number of answers that are served in order; a repeated answer counts once. */
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
