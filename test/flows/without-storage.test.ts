import { Agent } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { outline, type ProfileName } from '../../mocks/index.ts';
import { profileNames } from '../../mocks/profiles/profile-table.ts';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { turn } from '../runner/flow-world.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';

/** As the page about other servers says for organisations that keep no data. */
const agent = new Agent({
  name: 'Assistant',
  model: 'gpt-5',
  modelSettings: { store: false, providerData: { include: ['reasoning.encrypted_content'] } },
});

const WITHOUT_CONVERSATIONS = profileNames.filter((name) => name.startsWith('no-conversations:'));

describe.each(WAYS)('%s', (_way, stream) => {
  test.each(['run', 'stock run'])(
    'every reasoning item is sent back by its encrypted content without data retention, by %s',
    async (way) => {
      const { simulator, client } = simulated({ profile: 'zdr' });
      const session = new HybridSession({ client, mirror: 'off', sessionId: 'session' });
      const runner = way === 'run' ? new HybridRunner({ tracingDisabled: true }) : simulatedRunner(client);
      const world = { simulator, client, session, runner, stream, reopen: () => undefined };
      for (const text of ['hi', 'what can you do?', 'thanks']) await turn(world, agent, text);
      expect(simulator.log.map(({ status, context = [] }) => [status, outline(context)])).toEqual([
        [200, 'u'],
        [200, 'u,t,a,u'],
        [200, 'u,t,a,u,t,a,u'],
      ]);
      expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [] });
      expect(await session.verify()).toMatchObject({ verified: true, length: 9 });
    },
  );

  test.each<ProfileName>(WITHOUT_CONVERSATIONS)(
    'a session with a mirror fails before the model is asked on a server of profile %s',
    async (profile) => {
      const { simulator, client } = simulated({ profile });
      const session = new HybridSession({ client });
      const runner = new HybridRunner({ tracingDisabled: true });
      const world = { simulator, client, session, runner, stream, reopen: () => undefined };
      await expect(turn(world, agent, 'hi')).rejects.toBeInstanceOf(Error);
      expect(simulator.log.map(({ operation }) => operation)).toEqual(['conversations.create']);
    },
  );
});
