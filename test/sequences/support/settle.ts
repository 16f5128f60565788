import type { AgentInputItem } from '@openai/agents';
import { expect, vi } from 'vitest';
import { HistoryIncompleteError, type HistoryReport } from '../../../src/index.ts';
import { idsOf } from '../../flows/support/story.ts';
import { isNowhere } from './known-limits.ts';
import type { SessionWorld, Slot } from './session-world.ts';
import type { WatchedSession } from './watched-session.ts';

/** Longer than any lease: whoever holds one has been gone for good. */
const LONG = 60_000;

/** Ends a sequence: nothing fails any more, everybody finishes, and what is left must be exactly what is expected. */
export async function settle(world: SessionWorld): Promise<void> {
  world.lift();
  world.mode = 'rebuild';
  for (let round = 0; round < 4; round += 1) {
    vi.setSystemTime(Date.now() + LONG);
    for (const which of [0, 1]) await world.act({ which, act: ({ session }) => tidy(session) });
  }
  // What somebody else took away stays away, unless it is written to another conversation.
  const heal = async ({ session }: Slot): Promise<unknown> =>
    world.isDamaged || (await lacksUnwritten(world, session)) ? session.heal() : undefined;
  if (!(await isWhole(world, 0, heal))) return;
  for (const which of [0, 1]) if (!(await isServed(world, which))) return;
  await expectMirrored(world);
  // Somebody who knows only the store and the ID goes on with the same.
  world.restart(0, true);
  await isServed(world, 0);
  expect(world.events.filter(({ type }) => type === 'adopted' || type === 'ledger_damaged')).toEqual([]);
}

/** What a list did not show in time is found when it is looked at again, and leaves with the next write. */
async function tidy(session: WatchedSession): Promise<void> {
  await session.flush().catch(() => undefined);
  await session.verify().catch(() => undefined);
}

/** Metadata do not tell what was lost from what a process that died had not written yet: both are found in a response. */
async function lacksUnwritten(world: SessionWorld, session: WatchedSession): Promise<boolean> {
  if (world.settings.store !== 'conversation' || !world.hasForgotten) return false;
  return (await session.verify()).findings.some(({ type }) => type === 'lost');
}

/** @returns false where content is lost that cannot have been kept: see the known limits. */
async function isWhole(
  world: SessionWorld,
  which: number,
  act: (slot: Slot) => Promise<unknown>,
): Promise<boolean> {
  let incomplete: HistoryIncompleteError | undefined;
  await world.act({
    which,
    act: (slot) =>
      act(slot).catch((error: unknown) => {
        if (!(error instanceof HistoryIncompleteError)) throw error;
        incomplete = error;
      }),
  });
  if (incomplete !== undefined && !isNowhere(world, incomplete)) throw incomplete;
  return incomplete === undefined;
}

async function isServed(world: SessionWorld, which: number): Promise<boolean> {
  let items: AgentInputItem[] = [];
  let report: HistoryReport | undefined;
  const look = async ({ session }: Slot): Promise<void> => {
    items = await session.getItems();
    report = await session.verify();
  };
  if (!(await isWhole(world, which, look))) return false;
  if (report === undefined) return true;
  const findings = report.findings.filter(({ type }) => type !== 'lost' || world.settings.unlink === 'none');
  expect({ ...report, findings }).toMatchObject({
    verified: true,
    length: items.length,
    missing: [],
    findings: [],
    unproven: 0,
    pending: 0,
  });
  return true;
}

/** The conversation holds the same items in the same order, each once, but for what the server refused or has unlinked. */
async function expectMirrored(world: SessionWorld): Promise<void> {
  const { sessionId, simulator, settings } = world;
  if (settings.options.mirror === 'off' || sessionId === undefined) return;
  const list = simulator.snapshot().conversations.find(({ id }) => id === sessionId);
  const listed = [...(list?.items ?? []), ...(list?.pending ?? [])].map(({ id }) => id);
  let ids: readonly (string | undefined)[] = [];
  await world.act({
    which: 0,
    act: async ({ session }) => {
      ids = idsOf(await session.getItems());
    },
  });
  const absent = ids.filter((id) => id === undefined || !listed.includes(id)).length;
  // What the API refused for good lives in the ledger alone, and an event says so.
  const skipped = world.events.filter(({ type }) => type === 'mirror_skipped').length;
  if (settings.unlink === 'none') expect(absent).toBeLessThanOrEqual(skipped);
  const known = world.hasLeftovers ? listed.filter((id) => ids.includes(id)) : listed;
  expect(known).toEqual(ids.filter((id) => id !== undefined && listed.includes(id)));
}
