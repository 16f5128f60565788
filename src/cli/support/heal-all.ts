import { healAll, type HealOutcome } from '../../doctor.ts';
import type { CliIo } from '../command.ts';
import { oneOf, parseOptions } from '../input/parse-options.ts';
import { reportOf, summarizeHeal } from '../output/heal-text.ts';
import { MANY_OPTIONS, requireLedger, withMany } from '../setup/many.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { FAILED, runMany, type ManyLine } from './run-many.ts';

const OPTIONS = { ...MANY_OPTIONS, only: { type: 'string' }, 'dry-run': { type: 'boolean' } } as const;

/** `heal --all` and `heal --stdin`. @returns the exit code. */
export async function healMany(args: readonly string[], io: CliIo): Promise<number> {
  const values = parseOptions('heal', args, OPTIONS);
  oneOf('heal', 'only', values.only, ['damaged']);
  const dryRun = values['dry-run'] === true;
  // A report of plans does not keep the next run from healing.
  const command = dryRun ? 'heal --dry-run' : 'heal';
  return withShutdownSignal(
    io,
    () => 'the same command: healed sessions stay healed, and it continues with the others',
    (signal) =>
      withMany(io, values, { command, readOnly: dryRun, signal }, async (opened) => {
        const { client, ids, concurrency } = opened;
        const ledger = requireLedger(command, opened);
        const results = healAll({ client, ledger, ids, concurrency, dryRun, signal });
        const verb = dryRun ? 'Planned' : 'Healed';
        const counts = await runMany(io, values, opened, { command, verb, results, describe: lineOf });
        if (counts.has('unrecoverable')) return 2;
        if (counts.has('unknown')) return 3;
        return counts.has(FAILED) ? 1 : 0;
      }),
  );
}

function lineOf({ verdict, healed }: HealOutcome): ManyLine {
  if (healed === undefined) {
    const facts = { from: null, conversationId: null };
    if (verdict === 'whole') return { verdict, tone: 'green', isFine: true, text: 'nothing to do', facts };
    return verdict === 'repairable'
      ? { verdict: 'behind', tone: 'yellow', isFine: false, text: 'only changes were pending', facts }
      : { verdict, tone: 'red', isFine: false, text: 'not healed: not every item is known', facts };
  }
  const { from, conversationId, items, linked, written, skipped, dangling } = reportOf(healed);
  const facts = { from, conversationId, items, linked, written, skipped, dangling };
  const counts = summarizeHeal(reportOf(healed));
  return healed.dryRun
    ? { verdict: 'repairable', tone: 'yellow', isFine: false, text: `${from}  ${counts}`, facts }
    : {
        verdict: 'healed',
        tone: 'green',
        isFine: false,
        text: `${from} -> ${conversationId}  ${counts}`,
        facts,
      };
}
