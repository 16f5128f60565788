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
  /** Assistant messages that the session serves at the end; each turn made one. */
  readonly surviving: number;
  /** The roles in the conversation's list, where they differ from what the session serves. */
  readonly list: string | undefined;
  /** The model's answer to the last turn: the simulated one says what it saw. */
  readonly answer: string;
}

interface StoryOptions {
  readonly client: OpenAI;
  readonly model: string;
  readonly session: (typeof SESSIONS)[number];
  readonly turns: number;
}

/** Lives through the turns with one session. */
export async function tellStory({ client, model, session: kind, turns }: StoryOptions): Promise<Story> {
  const session: Session =
    kind === 'HybridSession'
      ? new HybridSession({ client, checkList: 'every-read' })
      : new OpenAIConversationsSession({ client });
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ openAIClient: client }),
    tracingDisabled: true,
  });
  const agent = new Agent({ name: 'Assistant', instructions: 'Answer in one short sentence.', model });
  const told: { before: string; after: string }[] = [];
  let answer = '';
  for (let turn = 0; turn < turns; turn += 1) {
    const before = roles(await session.getItems());
    const result = await runner.run(agent, PROMPTS[turn % PROMPTS.length] ?? '', { session });
    answer = result.finalOutput ?? '';
    told.push({ before, after: roles(await session.getItems()) });
  }
  const items = await session.getItems();
  const listed = roles(
    await new OpenAIConversationsSession({ client, conversationId: await session.getSessionId() }).getItems(),
  );
  return {
    model,
    session: kind,
    turns: told,
    surviving: items.filter((item) => roleOf(item) === 'a').length,
    list: listed === roles(items) ? undefined : listed,
    answer,
  };
}

function roles(items: readonly AgentInputItem[]): string {
  return items.map((item) => roleOf(item)).join(',');
}

function roleOf(item: AgentInputItem): string {
  if ('role' in item) return item.role.slice(0, 1);
  return item.type;
}
