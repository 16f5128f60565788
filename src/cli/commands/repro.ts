import OpenAI from 'openai';
import { createSimulatorCore } from '../../../mocks/simulator.ts';
import { unlinkPolicyNames, type UnlinkPolicyName } from '../../../mocks/unlinking.ts';
import { escapeJson } from '../../util/escape-controls.ts';
import { CommandError, UsageError, type CliIo, type Command } from '../command.ts';
import { report } from '../output/redact.ts';
import { oneOf, parseOptions, wholeNumber } from '../input/parse-options.ts';
import { describeStory, oursIntact, summarizeStories, type ReproReport } from '../output/repro-text.ts';
import { PROMPTS, SESSIONS, tellStory, type Story, type TellStory } from '../support/repro-story.ts';

const MODELS = ['gpt-4.1', 'gpt-5.2', 'gpt-5.4', 'gpt-5.5'];

const HELP = `Usage: agents-hybrid-session repro [options]

Replays the report of lost assistant messages: four turns, with the stock OpenAIConversationsSession and with
HybridSession, through the real SDK. Without --live it talks to the simulator on 127.0.0.1 and needs no key.

  --model NAME     a model; may be repeated (default: ${MODELS.join(', ')})
  --turns N        how many turns, 1 to 100 (default: ${PROMPTS.length})
  --unlink POLICY  how the simulator loses messages (default: every-turn, as the report describes):
                     every-turn  gpt-5.4 and gpt-5.5 lose the earlier answers at every turn
                     id-replay   they lose the answers whose IDs a client replays, as SDKs before 0.9.1 do
                     none        nothing is lost
  --json           one JSON document instead of text
  --live           the real API, with OPENAI_API_KEY (and OPENAI_BASE_URL, if set); a few requests for each model;
                   the conversations are deleted afterwards, the responses expire by themselves

The simulator answers to any model's name; with --live the name must be one that your key may use.

Exit codes: 0 HybridSession kept every message in every case, 1 it did not, 64 wrong arguments, 70 a request failed.

Examples:
  agents-hybrid-session repro
  agents-hybrid-session repro --model gpt-5.4 --turns 8
  agents-hybrid-session repro --json | jq '.stories[] | {model, session, surviving, answers}'
  OPENAI_API_KEY=sk-... agents-hybrid-session repro --live --model gpt-5.5
`;

/** The command, with the given story function. */
export function createRepro(tell: TellStory): Command {
  return {
    help: HELP,
    async run(args, io) {
      const options = parse(args, io);
      const server =
        options.unlink === null ? undefined : await createSimulatorCore({ unlink: options.unlink }).listen();
      try {
        const client =
          server === undefined
            ? new OpenAI({ apiKey: options.apiKey, ...baseUrlOf(io) })
            : new OpenAI({ apiKey: 'simulated', baseURL: server.url, maxRetries: 0 });
        const stories: Story[] = [];
        for (const model of options.models) {
          for (const session of SESSIONS) {
            const story = await tell({ client, model, session, turns: options.turns }).catch(
              (error: unknown) => {
                throw explained(error, model);
              },
            );
            stories.push(story);
            if (!options.json) report(io, describeStory(story));
          }
        }
        report(io, options.json ? asJson(options, stories) : summarizeStories(stories));
        return oursIntact(stories) ? 0 : 1;
      } finally {
        await server?.close();
      }
    },
  };
}

/** Reproduces the loss with the stock session, and compares with `HybridSession`. */
export const repro: Command = createRepro(tellStory);

interface ReproOptions {
  readonly models: readonly string[];
  readonly turns: number;
  /** Null for the real API. */
  readonly unlink: UnlinkPolicyName | null;
  readonly json: boolean;
  readonly apiKey: string;
}

function parse(args: readonly string[], io: CliIo): ReproOptions {
  const values = parseOptions('repro', args, {
    model: { type: 'string', multiple: true },
    turns: { type: 'string' },
    unlink: { type: 'string' },
    json: { type: 'boolean' },
    live: { type: 'boolean' },
  });
  const turns = wholeNumber('repro', 'turns', values.turns, { min: 1, max: 100, example: PROMPTS.length });
  const unlink = oneOf('repro', 'unlink', values.unlink, unlinkPolicyNames);
  const models = values.model ?? MODELS;
  if (models.includes(''))
    throw new UsageError('--model must not be empty', 'agents-hybrid-session repro --model gpt-5.4');
  const live = values.live === true;
  const apiKey = io.env['OPENAI_API_KEY'] ?? '';
  if (live && unlink !== undefined) {
    throw new UsageError(
      '--unlink tells the simulator what to lose, and --live does not use the simulator',
      'agents-hybrid-session repro --live',
    );
  }
  if (live && apiKey === '') {
    throw new UsageError(
      '--live needs the environment variable OPENAI_API_KEY',
      'OPENAI_API_KEY=sk-... agents-hybrid-session repro --live',
    );
  }
  return {
    models,
    turns: turns ?? PROMPTS.length,
    unlink: live ? null : (unlink ?? 'every-turn'),
    json: values.json === true,
    apiKey,
  };
}

function baseUrlOf({ env }: CliIo): { baseURL?: string } {
  const baseURL = env['OPENAI_BASE_URL'];
  return baseURL === undefined || baseURL === '' ? {} : { baseURL };
}

function asJson({ unlink }: ReproOptions, stories: readonly Story[]): string {
  const facts: ReproReport = {
    version: 1,
    live: unlink === null,
    unlink,
    intact: oursIntact(stories),
    stories,
  };
  return `${escapeJson(JSON.stringify(facts, undefined, 2))}\n`;
}

/** Common failures of the first request; the API's message on a wrong key would show parts of it. */
function explained(error: unknown, model: string): unknown {
  if (!(error instanceof Error)) return error;
  const status: unknown = Reflect.get(error, 'status');
  const code: unknown = Reflect.get(error, 'code');
  if (status === 401) {
    return new CommandError(
      'invalid_api_key',
      'The API refused the key in OPENAI_API_KEY',
      'agents-hybrid-session repro (the simulator needs no key)',
      { cause: error },
    );
  }
  if (code === 'model_not_found') {
    return new CommandError(
      'model_not_found',
      `The API does not offer the model '${model}' to this key`,
      'agents-hybrid-session repro --live --model gpt-5.4',
      { cause: error },
    );
  }
  return error;
}
