import { codeOf } from '../../flows/support/story.ts';
import type { AgentInputItem } from '@openai/agents';
import { expect } from 'vitest';
import { HistoryIncompleteError, type HistoryReport } from '../../../src/index.ts';
import { idsOf } from '../../flows/support/story.ts';
import { passTime } from '../../support/virtual-time.ts';
import { isBeyondBookmark, isNowhere } from './known-limits.ts';
import type { SessionWorld, Slot } from './session-world.ts';
import type { WatchedSession } from './watched-session.ts';

/** Longer than any lease: every holder of one has been gone for good. */
const BEYOND_LEASE_MS = 60_000;

/** Ends a sequence: no fault is left, every session finishes, and the result must be exactly the expected one. */
export async function settle(world: SessionWorld): Promise<void> {
  world.lift();
  world.mode = 'rebuild';
  for (let round = 0; round < 4; round += 1) {
    passTime(BEYOND_LEASE_MS);
    for (const which of [0, 1]) await world.act({ which, act: ({ session }) => tidy(session) });
  }
  // Items that another client deleted stay away, unless they are written to another conversation.
  const heal = async ({ session }: Slot): Promise<unknown> =>
    world.isDamaged || (await lacksUnwritten(world, session)) ? session.heal() : undefined;
  if (!(await isWhole(world, 0, heal))) return;
  for (const which of [0, 1]) if (!(await isServed(world, which))) return;
  await expectMirrored(world);
  if (isBeyondBookmark(world)) return;
  // A process that knows only the store and the ID goes on with the same items.
  world.restart(0, true);
  await isServed(world, 0);
  expect(world.events.filter((event) => ['adopted', 'ledger_damaged'].includes(codeOf(event) ?? ''))).toEqual(
    [],
  );
}

/** Items that the list did not show in time are found by a later read, and removed by the next write. */
async function tidy(session: WatchedSession): Promise<void> {
  await session.flush().catch(() => undefined);
  await session.verify().catch(() => undefined);
}

/** Metadata do not tell lost items from the pending ones of a dead process: both are found in a response. */
async function lacksUnwritten(world: SessionWorld, session: WatchedSession): Promise<boolean> {
  if (world.settings.store !== 'bookmark' || !world.hasForgotten) return false;
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

/** The conversation holds the same items in the same order, each once, but for refused and unlinked ones. */
async function expectMirrored(world: SessionWorld): Promise<void> {
  const { conversationId, simulator, settings } = world;
  if (settings.options.mirror === 'off' || conversationId === undefined) return;
  const list = simulator.snapshot().conversations.find(({ id }) => id === conversationId);
  const listed = [...(list?.items ?? []), ...(list?.pending ?? [])].map(({ id }) => id);
  let ids: readonly (string | undefined)[] = [];
  await world.act({
    which: 0,
    act: async ({ session }) => {
      ids = idsOf(await session.getItems());
    },
  });
  const absent = ids.filter((id) => id === undefined || !listed.includes(id)).length;
  // Items that the API refused for good are in the ledger alone, and an event says so.
  const skipped = world.events.filter((event) => codeOf(event) === 'mirror_skipped').length;
  if (settings.unlink === 'none') expect(absent).toBeLessThanOrEqual(skipped);
  expect(listed).toEqual(ids.filter((id) => id !== undefined && listed.includes(id)));
}
