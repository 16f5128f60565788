import { OpenAIConversationsSession, type AgentInputItem, type Runner, type Session } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, type Mode } from '../../src/index.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { assistantAgent, converse, listedIds } from '../flows/support/story.ts';

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What an app may put into a session by itself. */
const APPENDS: readonly (readonly AgentInputItem[])[] = [
  [{ role: 'system', content: 'Be brief.' }, user('hello')],
  [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'look' },
        { type: 'input_image', image: PIXEL },
        { type: 'input_image', image: { id: 'file-1' } },
        { type: 'input_file', file: { id: 'file-2' }, filename: 'a.pdf' },
        { type: 'input_file', file: 'https://example.com/a.pdf' },
      ],
    },
    assistant('nice', 'msg_theirs'),
  ],
  [
    user('weather?'),
    call('call_a', 'get_weather', { city: 'Rome' }),
    result('call_a', 'get_weather', 'sunny'),
  ],
  [assistant('one'), assistant('two'), user('three')],
];

/** One thing that an app does with its session. */
type Step =
  | { readonly does: 'run'; readonly text: string; readonly stream: boolean; readonly model: string }
  | { readonly does: 'add'; readonly which: number }
  | { readonly does: 'read'; readonly limit: number | undefined }
  | { readonly does: 'pop' | 'clear' | 'lose' | 'attach' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        does: fc.constant('run' as const),
        text: fc.constantFrom('hi', 'call get_weather {"city":"Oslo"}', 'thanks'),
        stream: fc.boolean(),
        // Of these, the last one reasons.
        model: fc.constantFrom('gpt-5.4', 'gpt-4.1', 'gpt-5'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ does: fc.constant('add' as const), which: fc.nat(APPENDS.length - 1) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('read' as const),
        limit: fc.constantFrom(undefined, 0, 1, 3, 100),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constantFrom('pop' as const, 'lose' as const, 'attach' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('clear' as const) }) },
  ),
  { minLength: 3, maxLength: 9 },
);

/** A world in which an app lives with its session. */
interface App {
  readonly world: Simulated;
  readonly runner: Runner;
  readonly open: (
    conversationId: string | undefined,
  ) => Session & { readonly conversationId?: string | undefined };
}

/** What the app got and what it sent, as bytes. */
async function lived(life: readonly Step[], { world, runner, open }: App): Promise<string[]> {
  const { client, simulator } = world;
  let session = open(undefined);
  const got: unknown[] = [];
  const one = async (step: Step): Promise<void> => {
    if (step.does === 'run') {
      const agent = assistantAgent(step.model);
      got.push(await converse(runner, session, [step.text], { stream: step.stream, agent }));
    } else if (step.does === 'add') await session.addItems(structuredClone([...(APPENDS[step.which] ?? [])]));
    else if (step.does === 'read') got.push(await session.getItems(step.limit));
    else if (step.does === 'pop') got.push(await session.popItem());
    else if (step.does === 'clear') await session.clearSession();
    else {
      const sessionId = await session.getSessionId();
      const id = session.conversationId ?? sessionId;
      if (step.does === 'attach') {
        session = open(id);
        // Where an app writes before it reads, ours looks at the list once: it may hold what the ledger does not know.
        got.push(await session.getItems());
      }
      // Another client takes the item in the middle away, which is how a loss looks from here.
      const ids = listedIds(simulator, id);
      const [lost] = ids.slice(Math.floor(ids.length / 2));
      if (step.does === 'lose' && lost !== undefined)
        await client.conversations.items.delete(lost, { conversation_id: id });
    }
  };
  for (const step of life) {
    // What fails, fails for both: a reasoning item whose answer is gone cannot be sent.
    await one(step).catch((error: unknown) => got.push(String(error)));
  }
  got.push(await session.getItems());
  const sent = simulator.log.map(({ method, path, status, body }) => ({ method, path, status, body }));
  return [...got, ...sent].map((one) => JSON.stringify(one));
}

describe.each<[Mode, boolean]>([
  ['shadow', false],
  ['shadow', true],
  ['off', false],
  ['off', true],
])('a session in %s, with our runner: %s', (rollout, ours) => {
  it('a session in mode shadow serves and sends what the stock session does, byte for byte, whatever its app does', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom('none', 'id-replay', 'every-turn'), async (life, unlink) => {
        const theirs = simulated({ unlink });
        const stock = await lived(life, {
          world: theirs,
          runner: simulatedRunner(theirs.client),
          open: (conversationId) =>
            new OpenAIConversationsSession({
              client: theirs.client,
              ...(conversationId === undefined ? {} : { conversationId }),
            }),
        });
        const world = simulated({ unlink });
        const { client } = world;
        const shadow = await lived(life, {
          world,
          runner: ours ? new HybridRunner({ tracingDisabled: true }) : simulatedRunner(client),
          open: (conversationId) => new HybridSession({ client, conversationId, rollout, bookmark: false }),
        });
        expect(shadow).toEqual(stock);
      }),
      { numRuns: 20, seed: 20261126 },
    );
  });
});
