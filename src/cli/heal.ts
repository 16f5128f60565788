import { setTimeout as sleep } from 'node:timers/promises';
import {
  HealError,
  HistoryIncompleteError,
  HybridSession,
  type Healed,
  type HealOptions,
  type HealPlan,
} from '../index.ts';
import { CommandError } from './command-error.ts';
import type { CliIo, Command } from './command.ts';
import {
  CONVERSATION,
  CONVERSATION_HELP,
  CONVERSATION_OPTIONS,
  withConversation,
  type OpenedConversation,
} from './conversation-command.ts';
import { describeError } from './describe-error.ts';
import { describeSteps, reportOf, reportOfMissing, summarizeHeal } from './heal-report.ts';
import { healSource, UnknownHistory, type HealSource } from './heal-source.ts';
import { parseOperand } from './parse-options.ts';
import { untilStopped } from './until-stopped.ts';

const [UNFINISHED, BEYOND, UNKNOWN] = [1, 2, 3] as const;

/** After so many tries that bring nothing it is given up: a minute. */
const TRIES = 6;
const LONGEST_WAIT = 60_000;

const HELP = `Usage: hybrid-session heal <conversation> [options]

Writes the whole history of a damaged conversation to a fresh one, looks whether its list shows everything, and moves the
session's ledger there: sessions that know the old ID go on in the new conversation. Each item is linked by its ID where
the API has it stored, and written by its content otherwise. The old conversation stays as it is. The same as
session.heal().

Without a ledger, or with one that does not know the conversation, the history is put together from the responses that
are named and everything behind them.

${CONVERSATION_HELP}
  --dry-run         say what would be done with each item, and write nothing
  --to ID           without a ledger: go on in the conversation that an earlier heal had begun
  --json            one JSON document on standard output instead of the new ID

The new conversation's ID is all that is printed on standard output. A heal that was interrupted goes on where it stopped:
type the same again (without a ledger, with --to).

Exit codes: 0 done (or, with --dry-run, can be done), ${UNFINISHED} not finished, try again, ${BEYOND} something is nowhere to be found and
nothing was written, ${UNKNOWN} neither the ledger nor the responses know the conversation, 64 wrong arguments, 70 something
failed on the way, 130 stopped.

Examples:
  hybrid-session heal conv_... --ledger sqlite:sessions.db --dry-run
  new=$(hybrid-session heal conv_... --ledger sqlite:sessions.db)
  hybrid-session heal conv_... --ledger postgres://localhost/app --json
  grep conv_... app.log | hybrid-session heal conv_... --response -
`;

/** What a test may want to set. */
export interface HealCommandOptions {
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** How many tries may bring nothing. */
  readonly tries: number;
}

/** The command, waiting as it is told to. */
export function createHeal({ wait, tries }: HealCommandOptions): Command {
  return {
    help: HELP,
    run(args, io) {
      const given = parseOperand(
        'heal',
        args,
        {
          ...CONVERSATION_OPTIONS,
          'dry-run': { type: 'boolean' },
          to: { type: 'string' },
          json: { type: 'boolean' },
        },
        CONVERSATION,
      );
      const { operand, values } = given;
      const dryRun = values['dry-run'] === true;
      const say: Say = { dryRun, json: values.json === true, to: values.to };
      return untilStopped(
        io,
        () => howToGoOn(operand, say),
        (signal) =>
          withConversation(io, given, { command: 'heal', readOnly: dryRun, signal }, async (opened) => {
            try {
              const source = await healSource(opened, { dryRun, to: say.to, signal });
              say.to = source.to;
              const done = await healIt(opened, source, { dryRun, signal, wait, tries });
              opened.progress.clear();
              report(io, done, source, say);
              return 0;
            } catch (error) {
              opened.progress.clear();
              return failed(io, error, operand, say);
            }
          }),
      );
    },
  };
}

/** Writes a conversation's history to a fresh one. */
export const heal: Command = createHeal({
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
  tries: TRIES,
});

interface Say {
  readonly dryRun: boolean;
  readonly json: boolean;
  /** What has to be typed to go on in the conversation begun. */
  to: string | undefined;
}

async function healIt(
  { client, progress }: OpenedConversation,
  { ledger, conversationId }: HealSource,
  {
    dryRun,
    signal,
    wait,
    tries: most,
  }: HealCommandOptions & { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Healed | HealPlan> {
  const session = new HybridSession({ client, conversationId, ledger });
  progress.update(`Reading ${conversationId}`);
  if (dryRun) return session.heal({ dryRun });
  const how: HealOptions & { dryRun?: false } = {
    signal,
    onProgress: ({ done, items, conversationId: to }) =>
      progress.update(`Writing to ${to}: ${done} of ${items} items`),
  };
  let [tries, left] = [0, Number.POSITIVE_INFINITY];
  for (;;) {
    try {
      return await session.heal(how);
    } catch (error) {
      if (!(error instanceof HealError) || error.reason !== 'unwritten' || !error.isTemporary) throw error;
      const { pending = 0, retryAfter, failure } = error;
      tries = pending < left ? 1 : tries + 1;
      left = pending;
      if (tries === most) throw error;
      const pause = retryAfter ?? Math.min(LONGEST_WAIT, 1000 * 2 ** tries);
      const why = failure === undefined ? 'for another process that is writing' : `after ${failure}`;
      progress.note(`Waiting ${Math.ceil(pause / 1000)} s ${why}`);
      await wait(pause, signal);
    }
  }
}

function report(io: CliIo, done: Healed | HealPlan, source: HealSource, { json }: Say): void {
  const facts = reportOf(done);
  if (json) io.out(`${JSON.stringify(facts, undefined, 2)}\n`);
  else io.out(done.dryRun ? describeSteps(done) : `${done.conversationId}\n`);
  const summary = summarizeHeal(facts);
  if (done.dryRun) {
    const where = done.conversationId ?? 'a new conversation';
    const isDone = done.steps.length === 0 && done.items > 0;
    io.err(
      isDone ? `Nothing to do: ${where} holds the history. ${summary}.\n` : `To ${where}: ${summary}.\n`,
    );
  } else {
    io.err(`${done.conversationId} holds the history, verified by digest. ${summary}.\n`);
    io.err(
      `${done.from} stays at the API as it is. ${source.follows ? 'Sessions with this ledger go on in the new one.' : 'Give your sessions the new ID.'}\n`,
    );
  }
  for (const note of source.notes) io.err(`${note}\n`);
}

/** @returns the exit code. @throws what is not about the history. */
function failed(io: CliIo, error: unknown, conversationId: string, { json, dryRun }: Say): number {
  const command = `hybrid-session heal ${conversationId}`;
  const describe = (problem: CommandError): void => io.err(describeError(problem, 'hybrid-session heal'));
  if (error instanceof UnknownHistory) {
    describe(error);
    return UNKNOWN;
  }
  if (error instanceof HistoryIncompleteError) {
    const { missing } = error;
    if (json) io.out(`${JSON.stringify(reportOfMissing(conversationId, dryRun, missing), undefined, 2)}\n`);
    const named = missing.map(
      ({ index, kind, id }) => `  #${index} ${kind}${id === undefined ? '' : ` ${id}`}\n`,
    );
    io.err(`${missing.length} item(s) are nowhere to be found; nothing was written:\n${named.join('')}`);
    describe(
      new CommandError(
        error.code,
        'The history is not all there',
        `${command} --response ID, with more of its responses`,
      ),
    );
    return BEYOND;
  }
  const isUnfinished = error instanceof HealError && ['unwritten', 'unverified'].includes(error.reason);
  if (!isUnfinished) throw error;
  describe(new CommandError(error.code, error.message, `${command} ... (the same again)`, { cause: error }));
  return UNFINISHED;
}

function howToGoOn(conversationId: string, { to, dryRun }: Say): string {
  const options = `${dryRun ? ' --dry-run' : ''}${to === undefined ? '' : ` --to ${to}`}`;
  return `hybrid-session heal ${conversationId}${options}, with the other options as before`;
}
