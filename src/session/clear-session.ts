import { clearAway } from './clear-away.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { SessionLife } from './session-life.ts';

/** Removes all items: in the ledger first, then with the conversation, if there is one. */
export async function clearSession(life: SessionLife, options: ResolvedOptions): Promise<void> {
  await life.runIfBegun(async ({ attachment }) => {
    const { ledger, remote } = attachment;
    await remote?.mirror.idle();
    const isKnown = (await ledger.outline()).version > 0;
    // From here on the ledger knows what to do, even if this process does not live to do it.
    if (remote === undefined) {
      if (isKnown) await ledger.clear();
      life.responses.clear();
      return;
    }
    let after: string | undefined;
    try {
      if (isKnown) await ledger.clear();
      after = await clearAway(
        { ...attachment, remote },
        options,
        (event) => life.telemetry.event(event),
        isKnown,
      );
    } finally {
      // Whatever became of it, the next use looks at what the ledger says.
      life.end('kept');
    }
    if (after === undefined) life.end('gone');
    else life.moved(after);
  });
}
