import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Listening } from '../../../mocks/http/listen.ts';
import { createSimulatorCore, type SimulatorCore, type SimulatorOptions } from '../../../mocks/simulator.ts';
import { main } from '../../../src/cli/main.ts';
import { tellStory } from '../../../src/cli/support/repro-story.ts';
import { createRepro } from '../../../src/cli/commands/repro.ts';
import { captureIo } from '../support/captured-io.ts';

const report = z.strictObject({
  version: z.literal(1),
  live: z.boolean(),
  unlink: z.enum(['every-turn', 'id-replay', 'none']).nullable(),
  intact: z.boolean(),
  stories: z.array(
    z.strictObject({
      model: z.string(),
      session: z.enum(['OpenAIConversationsSession', 'HybridSession']),
      turns: z.array(z.strictObject({ before: z.string(), after: z.string() })),
      answers: z.int(),
      surviving: z.int(),
      intact: z.boolean(),
      list: z.string().nullable(),
      answer: z.string(),
      failure: z.strictObject({ turn: z.int(), reason: z.string() }).nullable(),
    }),
  ),
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function repro(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { io, stdout, stderr } = captureIo(env);
  const code = await main(['repro', ...args], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

async function reproJson(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<z.infer<typeof report>> {
  return report.parse(JSON.parse((await repro(['--json', ...args], env)).stdout));
}

describe('agents-hybrid-session repro', () => {
  it('repro shows that the stock session loses the answers and ours does not', async () => {
    const { code, stdout, stderr } = await repro(['--model', 'gpt-5.4']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [stock = '', ours = ''] = stdout.split('\n\n');
    expect(stock).toBe(`gpt-5.4  OpenAIConversationsSession
  turn  1  -        ->  u,a
  turn  2  u,a      ->  u,u,a
  turn  3  u,u,a    ->  u,u,u,a
  turn  4  u,u,u,a  ->  u,u,u,u,a
  assistant items surviving: 1 / 4
  the model's last answer: Answer 4: I see 5 items (4u 1a): u "hi", u "what can you do?", u "give me one example", a3, u "thanks"`);
    expect(ours).toBe(`gpt-5.4  HybridSession
  turn  1  -            ->  u,a
  turn  2  u,a          ->  u,a,u,a
  turn  3  u,a,u,a      ->  u,a,u,a,u,a
  turn  4  u,a,u,a,u,a  ->  u,a,u,a,u,a,u,a
  the list itself holds: u,u,u,u,a
  assistant items surviving: 4 / 4
  the model's last answer: Answer 4: I see 7 items (4u 3a): u "hi", a1, u "what can you do?", a2, u "give me one example", a3, u "thanks"`);
    expect(stdout).toMatch(/HybridSession kept every message in every case\.\n$/);
  });

  it('repro tries the four models of the report with both sessions', async () => {
    const { stories, intact } = await reproJson([]);
    expect(intact).toBe(true);
    expect(
      stories.map(({ model, session, surviving, answers }) => [model, session, surviving, answers]),
    ).toEqual([
      ['gpt-4.1', 'OpenAIConversationsSession', 4, 4],
      ['gpt-4.1', 'HybridSession', 4, 4],
      ['gpt-5.2', 'OpenAIConversationsSession', 4, 4],
      ['gpt-5.2', 'HybridSession', 4, 4],
      ['gpt-5.4', 'OpenAIConversationsSession', 1, 4],
      ['gpt-5.4', 'HybridSession', 4, 4],
      ['gpt-5.5', 'OpenAIConversationsSession', 1, 4],
      ['gpt-5.5', 'HybridSession', 4, 4],
    ]);
  });

  it('repro takes a number of turns and several models', async () => {
    const { stories } = await reproJson(['--turns', '9', '--model', 'gpt-5.5', '--model', 'a-model-of-mine']);
    expect(stories.map(({ model, surviving, answers }) => `${model} ${surviving}/${answers}`)).toEqual([
      'gpt-5.5 1/9',
      'gpt-5.5 9/9',
      'a-model-of-mine 9/9',
      'a-model-of-mine 9/9',
    ]);
  });

  it.each(['id-replay', 'none'])(
    'repro loses nothing with an up-to-date SDK under --unlink %s',
    async (policy) => {
      const { stories, unlink } = await reproJson(['--model', 'gpt-5.4', '--unlink', policy]);
      expect(unlink).toBe(policy);
      expect(stories.map(({ surviving, list }) => ({ surviving, list }))).toEqual([
        { surviving: 4, list: null },
        { surviving: 4, list: null },
      ]);
    },
  );

  it('repro --json prints one JSON document of a fixed form', async () => {
    const { stories, ...rest } = await reproJson(['--model', 'gpt-5.4', '--turns', '2']);
    expect(rest).toEqual({ version: 1, live: false, unlink: 'every-turn', intact: true });
    expect(stories[0]).toEqual({
      model: 'gpt-5.4',
      session: 'OpenAIConversationsSession',
      turns: [
        { before: '', after: 'u,a' },
        { before: 'u,a', after: 'u,u,a' },
      ],
      answers: 2,
      surviving: 1,
      intact: false,
      list: null,
      answer: 'Answer 2: I see 3 items (2u 1a): u "hi", a1, u "what can you do?"',
      failure: null,
    });
  });

  it('repro exits with 1 when ours loses', async () => {
    const { io, stdout } = captureIo();
    // A session that does lose, told of as ours.
    const command = createRepro(async (options) => ({
      ...(await tellStory({ ...options, session: 'OpenAIConversationsSession' })),
      session: options.session,
    }));
    expect(await command.run(['--model', 'gpt-5.4'], io)).toBe(1);
    expect(stdout()).toMatch(/HybridSession did NOT keep every message/);
    const json = captureIo();
    expect(await command.run(['--model', 'gpt-5.4', '--json'], json.io)).toBe(1);
    expect(report.parse(JSON.parse(json.stdout())).intact).toBe(false);
  });

  it.each([
    [['--turns', '0'], "--turns must be a whole number from 1 to 100, not '0'", 'repro --turns 4'],
    [['--turns', '101'], "--turns must be a whole number from 1 to 100, not '101'", 'repro --turns 4'],
    [['--turns', '2.5'], "--turns must be a whole number from 1 to 100, not '2.5'", 'repro --turns 4'],
    [['--turns', 'many'], "--turns must be a whole number from 1 to 100, not 'many'", 'repro --turns 4'],
    [['--turns', ''], "--turns must be a whole number from 1 to 100, not ''", 'repro --turns 4'],
    [
      ['--unlink', 'always'],
      "--unlink must be one of every-turn, id-replay, none, not 'always'",
      'repro --unlink every-turn',
    ],
    [['--model', ''], '--model must not be empty', 'repro --model gpt-5.4'],
    [['--modle', 'gpt-5.4'], "Unknown option '--modle'", 'repro --help'],
    [['--json=yes'], "Option '--json' does not take an argument", 'repro --help'],
    [['--model'], "Option '--model <value>' argument missing", 'repro --help'],
    [['gpt-5.4'], "Unexpected argument 'gpt-5.4'", 'repro --help'],
    [
      ['--live', '--unlink', 'none'],
      '--unlink tells the simulator what to lose, and --live does not use the simulator',
      'repro --live',
    ],
  ])('repro refuses %j before any turn', async (args, problem, hint) => {
    const { code, stdout, stderr } = await repro(args, { OPENAI_API_KEY: 'sk-test' });
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    const [first = '', second] = stderr.split('\n');
    expect(first.startsWith(`agents-hybrid-session repro: invalid_argument: ${problem}`)).toBe(true);
    expect(second).toBe(`Try: agents-hybrid-session ${hint}`);
  });
});

describe('agents-hybrid-session repro --live', () => {
  let server: Listening | undefined;

  afterEach(async () => {
    await server?.close();
  });

  /** Another simulator in the place of the API. */
  async function api(
    options: SimulatorOptions = {},
  ): Promise<{ simulator: SimulatorCore; env: { OPENAI_BASE_URL: string; OPENAI_API_KEY: string } }> {
    const simulator = createSimulatorCore(options);
    server = await simulator.listen();
    return { simulator, env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'sk-live-secret' } };
  }

  it.each([{}, { OPENAI_API_KEY: '' }])(
    'repro --live fails without a key before any request: %j',
    async (keyless) => {
      const { simulator, env } = await api();
      const { code, stdout, stderr } = await repro(['--live'], {
        OPENAI_BASE_URL: env.OPENAI_BASE_URL,
        ...keyless,
      });
      expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
      expect(stderr).toBe(
        'agents-hybrid-session repro: invalid_argument: --live needs the environment variable OPENAI_API_KEY\n' +
          'Try: OPENAI_API_KEY=sk-... agents-hybrid-session repro --live\n',
      );
      expect(simulator.log).toEqual([]);
    },
  );

  it('repro --live uses the base URL and the key of the environment', async () => {
    const { simulator, env } = await api({ unlink: 'every-turn', apiKeys: ['sk-live-secret'] });
    const { live, unlink, stories } = await reproJson(['--live', '--model', 'gpt-5.4'], env);
    expect({ live, unlink }).toEqual({ live: true, unlink: null });
    expect(stories.map(({ surviving }) => surviving)).toEqual([1, 4]);
    expect(simulator.log.filter(({ operation }) => operation === 'responses.create')).toHaveLength(8);
  });

  it('repro --live deletes its conversations', async () => {
    const { simulator, env } = await api();
    await repro(['--live', '--model', 'gpt-5.4', '--turns', '1'], env);
    expect(simulator.log.filter(({ operation }) => operation === 'conversations.create')).toHaveLength(2);
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('repro --live explains a refused key without showing it', async () => {
    const { env } = await api({ apiKeys: ['another'] });
    const { code, stdout, stderr } = await repro(['--live'], env);
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toBe(
      'agents-hybrid-session repro: invalid_api_key: The API refused the key in OPENAI_API_KEY\n' +
        'Try: agents-hybrid-session repro (the simulator needs no key)\n',
    );
  });

  it('repro --live explains an unknown model', async () => {
    const { simulator, env } = await api();
    simulator.fault('responses.create', { status: 404, code: 'model_not_found' });
    const { code, stdout, stderr } = await repro(['--live', '--model', 'gpt-9'], env);
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toBe(
      "agents-hybrid-session repro: model_not_found: The API does not offer the model 'gpt-9' to this key\n" +
        'Try: agents-hybrid-session repro --live --model gpt-5.4\n',
    );
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('repro --live passes on any other error of the first turn with its code', async () => {
    const { simulator, env } = await api();
    simulator.fault('responses.create', { status: 400, code: 'billing_hard_limit_reached' });
    const { code, stderr } = await repro(['--live', '--model', 'gpt-5.4'], env);
    expect(code).toBe(70);
    expect(stderr).toMatch(
      /^agents-hybrid-session repro: billing_hard_limit_reached: 400 .+\nTry: agents-hybrid-session repro --help\n$/,
    );
  });

  it('repro --live makes a later failure part of the story', async () => {
    const { simulator, env } = await api();
    simulator.fault('responses.create', { status: 400, code: 'no_way', skip: 2, times: 1 });
    const { stories } = await reproJson(['--live', '--model', 'gpt-4.1'], env);
    expect(stories[0]).toMatchObject({
      answers: 2,
      surviving: 2,
      intact: false,
      failure: { turn: 3, reason: expect.stringMatching(/^400 /) as unknown },
    });
    expect(stories[1]).toMatchObject({ answers: 4, surviving: 4, intact: true, failure: null });
    const text = await repro(['--live', '--model', 'gpt-4.1', '--turns', '1'], env);
    expect(text.code).toBe(0);
  });

  it('repro --live counts a failed turn of ours as a loss', async () => {
    const { simulator, env } = await api();
    simulator.fault('responses.create', { status: 400, code: 'no_way', skip: 5, times: 1 });
    const { code, stdout } = await repro(['--live', '--model', 'gpt-4.1'], env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/ {2}turn 2 failed: 400 /);
    expect(stdout).toMatch(/HybridSession +1 \/ 1 {2}\(turn 2 failed\)/);
  });
});
