import { setTimeout as sleep } from 'node:timers/promises';
import {
  HealError,
  HistoryIncompleteError,
  HybridSession,
  type Healed,
  type HealOptions,
  type HealPlan,
} from '../../index.ts';
import { escapeControls, escapeTexts } from '../../util/escape-controls.ts';
import { CommandError, type CliIo, type Command, describeError } from '../command.ts';
import {
  CONVERSATION,
  CONVERSATION_HELP,
  CONVERSATION_OPTIONS,
  withConversation,
  type OpenedConversation,
} from '../setup/conversation.ts';
import { report } from '../output/redact.ts';
import {
  describeSteps,
  healJson,
  isDone,
  reportOf,
  reportOfMissing,
  summarizeHeal,
} from '../output/heal-text.ts';
import { prepareHealInput, UnknownHistory, type HealInput } from '../support/heal-input.ts';
import { parseOperand } from '../input/parse-options.ts';
import { Backoff } from '../../util/poll.ts';
import { MANY_HELP } from '../setup/many.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { healMany } from '../support/heal-all.ts';

const [UNFINISHED, UNRECOVERABLE, UNKNOWN] = [1, 2, 3] as const;

/** The tries that write nothing before the command gives up: about a minute. */
const MAX_TRIES = 6;
/** Milliseconds of the pauses between tries. */
const PAUSES = { first: 2000, max: 60_000, maxAsked: 9 * 60_000 };

const HELP = `Usage: agents-hybrid-session heal <conversation> [options]
       agents-hybrid-session heal --all --ledger WHERE [options]

Writes the whole history of a damaged conversation to a new one, and checks that the new list shows every item. The
session keeps its name, the old ID still leads to it, and every process continues in the new conversation. An item that the
API still stores is linked by its ID, any other is written by its content. The old conversation is not changed. The same as
session.heal().

Without a ledger, or with one that does not know the conversation, the history is reconstructed from the given responses
and their ancestors.

${CONVERSATION_HELP}
  --dry-run         show the plan for each item, and write nothing
  --to ID           without a ledger: continue in the conversation that an earlier heal created
  --json            one JSON document on standard output instead of the new ID

Many sessions of a ledger, one line for each: those whose known items can all be restored are healed, and the others are
left as they are.

${MANY_HELP}
  --only damaged    the default: a session whose list is whole keeps its conversation

Standard output holds the new conversation's ID and nothing else. An interrupted heal continues where it stopped: type the
same again (without a ledger, with --to).

Exit codes: 0 done (or, with --dry-run, can be done), ${UNFINISHED} not finished, try again, ${UNRECOVERABLE} an item has no source and nothing was
written, ${UNKNOWN} neither the ledger nor the responses know the conversation, 64 wrong arguments, 70 another failure, 130 stopped.

Examples:
  agents-hybrid-session heal conv_... --ledger sqlite:sessions.db --dry-run
  new=$(agents-hybrid-session heal conv_... --ledger sqlite:sessions.db)
  agents-hybrid-session heal conv_... --ledger postgres://localhost/app --json
  grep conv_... app.log | agents-hybrid-session heal conv_... --response -
`;

/** Settings for tests. */
export interface HealCommandOptions {
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Tries without progress before it gives up. */
  readonly tries: number;
}

/** The command, with its own wait. */
export function createHeal({ wait, tries }: HealCommandOptions): Command {
  return {
    help: HELP,
    run(args, io) {
      if (args.some((argument) => argument === '--all' || argument === '--stdin')) return healMany(args, io);
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
      return withShutdownSignal(
        io,
        () => resumeHint(operand, say),
        (signal) =>
          withConversation(io, given, { command: 'heal', readOnly: dryRun, signal }, async (opened) => {
            try {
              const source = await prepareHealInput(opened, { dryRun, to: say.to, signal });
              say.to = source.to;
              const done = await healIt(opened, source, { dryRun, signal, wait, tries });
              opened.progress.clear();
              tell(io, done, source, say);
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
  tries: MAX_TRIES,
});

interface Say {
  readonly dryRun: boolean;
  readonly json: boolean;
  /** The value of `--to` that continues in the created conversation. */
  to: string | undefined;
}

async function healIt(
  { client, progress }: OpenedConversation,
  { ledger, sessionId }: HealInput,
  {
    dryRun,
    signal,
    wait,
    tries: most,
  }: HealCommandOptions & { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Healed | HealPlan> {
  const session = new HybridSession({ client, sessionId, ledger });
  progress.update(`Reading ${sessionId}`);
  if (dryRun) return session.heal({ dryRun });
  const how: HealOptions & { dryRun?: false } = {
    signal,
    onProgress: ({ done, items, conversationId: to }) =>
      progress.update(`Writing to ${to}: ${done} of ${items} items`),
  };
  const backoff = new Backoff({ ...PAUSES, attempts: most });
  let left = Number.POSITIVE_INFINITY;
  for (;;) {
    try {
      return await session.heal(how);
    } catch (error) {
      const mayWait = error instanceof HealError && ['unwritten', 'unread'].includes(error.reason);
      if (!mayWait || !error.isTemporary) throw error;
      const { pending = 0, retryAfter, failure } = error;
      if (pending < left) backoff.reset();
      left = pending;
      const pause = backoff.next(retryAfter);
      if (pause === undefined) throw error;
      const why = failure === undefined ? 'for another process that is writing' : `after ${failure}`;
      progress.note(`Waiting ${Math.ceil(pause / 1000)} s ${why}`);
      await wait(pause, signal);
    }
  }
}

function tell(io: CliIo, done: Healed | HealPlan, source: HealInput, { json }: Say): void {
  const facts = reportOf(done);
  if (json) io.out(healJson(facts));
  else if (done.dryRun) report(io, describeSteps(done));
  else io.out(`${escapeControls(done.conversationId)}\n`);
  const summary = summarizeHeal(facts);
  if (done.dryRun) {
    const where = done.conversationId ?? 'a new conversation';
    io.err(
      isDone(done)
        ? `Nothing to do: ${where} holds the history. ${summary}.\n`
        : `To ${where}: ${summary}.\n`,
    );
  } else {
    io.err(`${done.conversationId} holds the history, verified by digest. ${summary}.\n`);
    io.err(
      `${done.from} is not changed. ${source.follows ? 'Sessions with this ledger use the new one.' : 'Give your sessions the new ID.'}\n`,
    );
  }
  for (const note of source.notes) io.err(`${note}\n`);
}

/** @returns the exit code. @throws errors that are not about the history. */
function failed(io: CliIo, error: unknown, conversationId: string, { json, dryRun }: Say): number {
  const command = `agents-hybrid-session heal ${conversationId}`;
  const describe = (problem: CommandError): void =>
    io.err(describeError(problem, 'agents-hybrid-session heal'));
  if (error instanceof UnknownHistory) {
    describe(error);
    return UNKNOWN;
  }
  if (error instanceof HistoryIncompleteError) {
    const { missing } = error;
    if (json) io.out(healJson(reportOfMissing(conversationId, dryRun, missing)));
    const named = escapeTexts(missing).map(
      ({ index, kind, id }) => `  #${index} ${kind}${id === undefined ? '' : ` ${id}`}\n`,
    );
    io.err(`${missing.length} item(s) have no source; nothing was written:\n${named.join('')}`);
    describe(
      new CommandError(
        error.code,
        'The history is incomplete',
        `${command} --response ID, with more of its responses`,
      ),
    );
    return UNRECOVERABLE;
  }
  const isUnfinished =
    error instanceof HealError && ['unwritten', 'unread', 'unverified'].includes(error.reason);
  if (!isUnfinished) throw error;
  describe(new CommandError(error.code, error.message, `${command} ... (again)`, { cause: error }));
  return UNFINISHED;
}

function resumeHint(conversationId: string, { to, dryRun }: Say): string {
  const options = `${dryRun ? ' --dry-run' : ''}${to === undefined ? '' : ` --to ${to}`}`;
  return `agents-hybrid-session heal ${conversationId}${options}, with the other options as before`;
}
