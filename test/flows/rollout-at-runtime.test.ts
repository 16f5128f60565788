import { expect, it } from 'vitest';
import { HybridSession, memoryLedger, rolloutFrom, rolloutSwitch, type Mode } from '../../src/index.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { converse } from './support/story.ts';

useVirtualTime();

const USERS = Array.from({ length: 20 }, (_, user) => `user-${user}`);

it('a share of the users is raised at runtime, and a user of the smaller share stays in the larger one', async () => {
  const { client } = simulated();
  const ledger = memoryLedger();
  const control = rolloutSwitch(rolloutFrom('rebuild 5% else shadow'));
  const modes = new Map<string, Mode>();
  const open = (sessionId: string): HybridSession =>
    new HybridSession({
      sessionId,
      client,
      ledger,
      rollout: control.rollout,
      onEvent: (event) => {
        if (event.type === 'turn') modes.set(event.sessionId, event.mode);
      },
    });
  const sessions = USERS.map((user) => open(user));
  const share = async (): Promise<string[]> => {
    for (const session of sessions) await converse(simulatedRunner(client), session, ['hi']);
    return USERS.filter((user) => modes.get(user) === 'rebuild');
  };
  const few = await share();
  control.set(rolloutFrom('rebuild 50% else shadow'));
  const half = await share();
  expect(half).toEqual(expect.arrayContaining(few));
  expect(half.length).toBeGreaterThan(few.length);
  expect(half.length).toBeLessThan(USERS.length);
  // A clear gives the user another conversation, and the same mode.
  for (const session of sessions) await session.clearSession();
  expect(await share()).toEqual(half);
  control.set('rebuild');
  expect(await share()).toEqual(USERS);
});
