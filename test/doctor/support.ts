import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import type { SimulatorCore, SimulatorOptions } from '../../mocks/simulator.ts';
import { diagnose, type DiagnoseOptions, type Diagnosis } from '../../src/doctor.ts';
import { assistantAgent, converse } from '../flows/support/story.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';

/** A conversation of the stock session, as its user left it. */
export interface StockConversation {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly conversationId: string;
  /** Its responses, in the order in which they were made. */
  readonly responses: readonly string[];
  readonly answers: readonly string[];
}

/** The IDs of all responses in a world, oldest first. */
function responseIds(simulator: SimulatorCore): string[] {
  return simulator.snapshot().responses.map(({ id }) => id);
}

/** Lives through turns with the stock session. */
export async function stockConversation(
  turns: readonly string[],
  { model, ...options }: SimulatorOptions & { readonly model?: string } = {},
): Promise<StockConversation> {
  const { simulator, client } = simulated({ unlink: 'every-turn', ...options });
  const session = new OpenAIConversationsSession({ client });
  const answers = await converse(simulatedRunner(client), session, turns, { agent: assistantAgent(model) });
  const conversationId = await session.getSessionId();
  return { simulator, client, conversationId, responses: responseIds(simulator), answers };
}

/** A diagnosis with content. */
export function look(
  { client, conversationId }: Pick<StockConversation, 'client' | 'conversationId'>,
  options: Partial<DiagnoseOptions> = {},
): Promise<Diagnosis> {
  return diagnose({ client, conversationId, content: true, ...options });
}

/** The history as letters, such as `u,a`; lost items in capitals. */
export function lane({ timeline }: Diagnosis): string {
  return timeline
    .filter(({ index }) => index !== null)
    .map(({ kind, status }) => {
      const letter =
        /^message:(.)/.exec(kind)?.[1] ??
        (kind === 'function_call' ? 'c' : kind.endsWith('result') ? 'r' : kind);
      return status === 'lost' ? letter.toUpperCase() : letter;
    })
    .join(',');
}

/** The texts of the history, in order. */
export function said({ timeline }: Diagnosis): string[] {
  const items: (AgentInputItem | undefined)[] = timeline
    .filter(({ index }) => index !== null)
    .map(({ item }) => item);
  return texts(items);
}
