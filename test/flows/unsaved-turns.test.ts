import { describe, expect, test } from 'vitest';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { simulated } from '../support/simulated.ts';
import { assistantAgent, historyOf, recorder } from './support/story.ts';

const agent = assistantAgent('gpt-4.1');
const runner = new HybridRunner({ tracingDisabled: true });

describe.each([false, true])('a run that continues on the server (streamed: %s)', (isStreamed) => {
  async function world() {
    const { client } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent });
    const turn = async (text: string, options: object = {}): Promise<string> => {
      const result = isStreamed
        ? await runner.run(agent, text, { session, ...options, stream: true })
        : await runner.run(agent, text, { session, ...options });
      if ('completed' in result) await result.completed;
      return result.lastResponseId ?? '';
    };
    return { client, session, turn, unsaved: () => of('turn_unsaved') };
  }

  test('a run with the previousResponseId of the caller is reported once, as not saved', async () => {
    const { session, turn, unsaved } = await world();
    const previousResponseId = await turn('hi');
    expect(unsaved()).toEqual([]);
    await turn('call get_weather {"city":"Oslo"}', { previousResponseId });
    const { sessionId } = session;
    expect(unsaved()).toEqual([{ type: 'warning', sessionId, code: 'turn_unsaved' }]);
    await turn('thanks');
    expect(unsaved()).toHaveLength(1);
    expect(await historyOf(session)).toBe('u,a,u,a');
  });

  test('a run with the conversationId of the caller is reported as not saved', async () => {
    const { client, session, turn, unsaved } = await world();
    const { id: conversationId } = await client.conversations.create();
    await turn('hi', { conversationId });
    expect(unsaved()).toHaveLength(1);
    expect(await historyOf(session)).toBe('');
  });
});
