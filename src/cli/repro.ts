import { parseArgs } from 'node:util';
import OpenAI from 'openai';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { UsageError, type CliIo, type Command } from './command.ts';
import { PROMPTS, SESSIONS, tellStory, type Story } from './repro-story.ts';

const MODELS = ['gpt-4.1', 'gpt-5.2', 'gpt-5.4', 'gpt-5.5'];
const POLICIES = ['every-turn', 'id-replay', 'none'] as const;

const HELP = `Usage: hybrid-session repro [options]

Replays the report of lost assistant messages: four turns, with the stock OpenAIConversationsSession and with
HybridSession, through the real SDK. Without --live it talks to the simulator on 127.0.0.1 and needs no key.

  --model NAME     a model; may be repeated (default: ${MODELS.join(', ')})
  --turns N        how many turns, 1 to 100 (default: 4)
  --unlink POLICY  how the simulator loses messages: ${POLICIES.join(', ')} (default: every-turn, as the report describes;
                   id-replay needs a client that replays item IDs, as SDKs before 0.9.1 do)
  --json           one JSON document instead of text
  --live           the real API, with OPENAI_API_KEY; costs a few requests for each model

Exit code 0 when HybridSession kept every assistant message in every case, 1 when it did not.

Examples:
  hybrid-session repro
  hybrid-session repro --model gpt-5.4 --turns 8
  OPENAI_API_KEY=sk-... hybrid-session repro --live --model gpt-5.5 --json
`;

/** Shows the loss happen to the stock session, and not to ours. */
export const repro: Command = {
  name: 'repro',
  summary: 'replay the report of lost messages with the stock session and with ours',
  help: HELP,
  async run(args, io) {
    const options = parse(args, io);
    const server = options.live ? undefined : await createSimulatorCore({ unlink: options.unlink }).listen();
    try {
      const client = new OpenAI({
        apiKey: options.apiKey,
        ...(server === undefined ? {} : { baseURL: server.url, maxRetries: 0 }),
      });
      const stories: Story[] = [];
      for (const model of options.models) {
        for (const session of SESSIONS) {
          const story = await tellStory({ client, model, session, turns: options.turns });
          stories.push(story);
          if (!options.json) io.out(describe(story));
        }
      }
      io.out(
        options.json
          ? `${JSON.stringify({ live: options.live, unlink: options.unlink, stories }, undefined, 2)}\n`
          : summary(stories),
      );
      return stories.every(
        (story) => story.session !== 'HybridSession' || story.surviving === story.turns.length,
      )
        ? 0
        : 1;
    } finally {
      await server?.close();
    }
  },
};

interface ReproOptions {
  readonly models: readonly string[];
  readonly turns: number;
  readonly unlink: (typeof POLICIES)[number];
  readonly json: boolean;
  readonly live: boolean;
  readonly apiKey: string;
}

function parse(args: readonly string[], io: CliIo): ReproOptions {
  const values = parsed(args);
  const turns = Number(values.turns ?? PROMPTS.length);
  if (!Number.isInteger(turns) || turns < 1 || turns > 100) {
    throw new UsageError(
      `--turns must be a whole number from 1 to 100, not '${values.turns}'`,
      'hybrid-session repro --turns 4',
    );
  }
  const unlink = POLICIES.find((policy) => policy === (values.unlink ?? 'every-turn'));
  if (unlink === undefined) {
    throw new UsageError(
      `--unlink must be one of ${POLICIES.join(', ')}, not '${values.unlink}'`,
      'hybrid-session repro --unlink every-turn',
    );
  }
  const live = values.live === true;
  const key = io.env['OPENAI_API_KEY'];
  if (live && (key === undefined || key === '')) {
    throw new UsageError(
      '--live needs the environment variable OPENAI_API_KEY',
      'OPENAI_API_KEY=sk-... hybrid-session repro --live',
    );
  }
  return {
    models: values.model ?? MODELS,
    turns,
    unlink,
    json: values.json === true,
    live,
    apiKey: live ? (key ?? '') : 'simulated',
  };
}

function parsed(args: readonly string[]): {
  model?: string[];
  turns?: string;
  unlink?: string;
  json?: boolean;
  live?: boolean;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        model: { type: 'string', multiple: true },
        turns: { type: 'string' },
        unlink: { type: 'string' },
        json: { type: 'boolean' },
        live: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(
      error instanceof Error ? error.message : String(error),
      'hybrid-session repro --help',
    );
  }
}

function describe(story: Story): string {
  const width = Math.max(...story.turns.map(({ before }) => before.length), 1);
  const turns = story.turns.map(
    ({ before, after }, index) =>
      `  turn ${String(index + 1).padStart(2)}  ${(before || '-').padEnd(width)}  ->  ${after}`,
  );
  const list = story.list === undefined ? [] : [`  the list itself holds: ${story.list}`];
  return [
    `${story.model}  ${story.session}`,
    ...turns,
    ...list,
    `  assistant items surviving: ${story.surviving} / ${story.turns.length}`,
    `  the model's last answer: ${story.answer}`,
    '',
    '',
  ].join('\n');
}

function summary(stories: readonly Story[]): string {
  const rows = stories.map(
    ({ model, session, surviving, turns }) =>
      `  ${model.padEnd(12)} ${session.padEnd(27)} ${surviving} / ${turns.length}`,
  );
  return `assistant items surviving\n${rows.join('\n')}\n`;
}
