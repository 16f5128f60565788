import { OpenAIConversationsSession } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { createHeal } from '../../../src/cli/commands/heal.ts';
import { main } from '../../../src/cli/main.ts';
import { HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { converse, listedIds, listOf, TURNS } from '../../flows/support/story.ts';
import { roles, user } from '../../support/conversation.ts';
import { simulatedRunner } from '../../support/simulated.ts';
import { temporaryFolder } from '../../stores/support/temporary-folder.ts';
import { captureIo, type CapturedIo } from '../support/captured-io.ts';
import { useVirtualTime } from '../../support/virtual-time.ts';

useVirtualTime();

interface World {
  readonly simulator: SimulatorCore;
  readonly client: OpenAI;
  readonly env: Readonly<Record<string, string>>;
}

async function world(): Promise<World> {
  const simulator = createSimulatorCore({ unlink: 'every-turn' });
  const server = await simulator.listen();
  onTestFinished(() => server.close());
  const client = new OpenAI({ apiKey: 'sk-secret-key', baseURL: server.url, maxRetries: 0 });
  return { simulator, client, env: { OPENAI_API_KEY: 'sk-secret-key', OPENAI_BASE_URL: server.url } };
}

async function folder(): Promise<string> {
  const { path, remove } = await temporaryFolder();
  onTestFinished(remove);
  return path;
}

interface Damaged extends World {
  readonly id: string;
  readonly responses: readonly string[];
}

/** As the stock session left it. */
async function damaged(): Promise<Damaged> {
  const found = await world();
  const stock = new OpenAIConversationsSession({ client: found.client });
  await converse(simulatedRunner(found.client), stock, TURNS);
  const responses = found.simulator.snapshot().responses.map((response) => response.id);
  return { ...found, id: await stock.getSessionId(), responses };
}

/** As a session with a ledger in a file left it. */
async function recorded(lines = 0, sessionId?: string): Promise<Damaged & { path: string }> {
  const found = await world();
  const path = `${await folder()}/sessions.db`;
  const ledger = sqliteLedger({ path });
  const session = new HybridSession({ client: found.client, ledger, sessionId });
  await converse(simulatedRunner(found.client), session, TURNS);
  if (lines > 0) await session.addItems(Array.from({ length: lines }, (_, index) => user(`line ${index}`)));
  const id = session.conversationId ?? '';
  await ledger.close();
  return { ...found, id, path, responses: [] };
}

async function run(
  { env }: World,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { io, stdout, stderr } = captureIo(env);
  const code = await main(['heal', ...args], io);
  return { code, stdout: stdout(), stderr: stderr() };
}

const given = (responses: readonly string[]): string[] => responses.flatMap((id) => ['--response', id]);

describe('agents-hybrid-session heal with a ledger', () => {
  it('heal prints only the new ID, and every session with that ledger continues there', async () => {
    const found = await recorded();
    const { id, path, client, simulator } = found;
    const { code, stdout, stderr } = await run(found, id, '--ledger', `sqlite:${path}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^conv_\w+\n$/) });
    const to = stdout.trim();
    expect(stderr).toContain(
      `${to} holds the history, verified by digest. 8 item(s): 8 linked by ID, 0 written`,
    );
    expect(stderr).toContain(`${id} is not changed. Sessions with this ledger use the new one.`);
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
    expect(listOf(simulator, id)).toBe('u,u,u,u,a');
    const ledger = sqliteLedger({ path });
    onTestFinished(() => ledger.close());
    const session = new HybridSession({ client, ledger, conversationId: id });
    expect(await session.verify()).toMatchObject({ conversationId: to, verified: true, findings: [] });
    const again = await run(found, id, '--ledger', `sqlite:${path}`);
    expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 0, stdout });
  });

  it('heal --dry-run shows the plan that a heal then carries out', async () => {
    const found = await recorded();
    const { id, path, simulator } = found;
    const before = simulator.snapshot();
    const dry = await run(found, id, '--ledger', `sqlite:${path}`, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stderr).toBe('To a new conversation: 8 item(s): 8 linked by ID, 0 written by content.\n');
    expect(simulator.snapshot()).toEqual(before);
    const plan = dry.stdout.trimEnd().split('\n');
    const { stdout } = await run(found, id, '--ledger', `sqlite:${path}`);
    const listed = listedIds(simulator, stdout.trim());
    expect(plan).toEqual(
      listed.map(
        (listedId, index) => `link  #${index} message:${index % 2 === 0 ? 'user' : 'assistant'} ${listedId}`,
      ),
    );
  });

  it('heal --json prints one JSON document', async () => {
    const found = await recorded();
    const { id, path } = found;
    const dry = await run(found, id, '--ledger', `sqlite:${path}`, '--json', '--dry-run');
    const facts = {
      version: 1,
      sessionId: id,
      from: id,
      items: 8,
      linked: 8,
      written: 0,
      skipped: 0,
      dangling: 0,
      missing: [],
    };
    expect(JSON.parse(dry.stdout)).toMatchObject({
      ...facts,
      dryRun: true,
      healed: false,
      verified: false,
      conversationId: null,
    });
    const done = await run(found, id, '--ledger', `sqlite:${path}`, '--json');
    expect(JSON.parse(done.stdout)).toEqual({
      ...facts,
      dryRun: false,
      healed: true,
      verified: true,
      conversationId: expect.stringMatching(/^conv_/),
    });
  });

  it('heal takes the name of the session, and each of its conversations', async () => {
    const found = await recorded(0, 'user-42');
    const { id, path, client, simulator } = found;
    const by = (operand: string): ReturnType<typeof run> => run(found, operand, '--ledger', `sqlite:${path}`);
    const { code, stdout } = await by('user-42');
    expect(code).toBe(0);
    const to = stdout.trim();
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
    for (const operand of [id, to, 'user-42']) expect(await by(operand)).toMatchObject({ code: 0, stdout });
    const ledger = sqliteLedger({ path });
    onTestFinished(() => ledger.close());
    const late = new HybridSession({ client, ledger, conversationId: id });
    expect(await late.getSessionId()).toBe('user-42');
    expect(late.conversationId).toBe(to);
    expect(roles(await late.getItems())).toBe('u,a,u,a,u,a,u,a');
  });

  it('heal stops at Ctrl-C with a hint, and continues there', async () => {
    const found = await recorded(100);
    const { id, path, simulator, env } = found;
    const captured: CapturedIo = captureIo(env, { terminal: { err: true, columns: 200 } });
    const stopping = simulator.onRequest(({ method, path: at }) => {
      if (method === 'POST' && at.endsWith('/items')) captured.stop('SIGINT');
    });
    expect(await main(['heal', id, '--ledger', `sqlite:${path}`], captured.io)).toBe(130);
    stopping();
    expect(captured.stdout()).toBe('');
    expect(captured.stderr()).toContain('Stopped by SIGINT.\nTo go on: agents-hybrid-session heal');
    expect(captured.stderr()).toMatch(/Writing to conv_\w+: 0 of 108 items/);
    const { code, stdout } = await run(found, id, '--ledger', `sqlite:${path}`);
    expect(code).toBe(0);
    expect(listedIds(simulator, stdout.trim())).toHaveLength(108);
    expect(simulator.snapshot().conversations).toHaveLength(2);
  });

  it('heal waits out temporary failures, and gives up with exit code 1', async () => {
    const found = await recorded(30);
    const { id, path, simulator, env } = found;
    const waits: number[] = [];
    const lift = simulator.fault('conversations.items.create', { status: 409 });
    const command = createHeal({
      tries: 3,
      wait: async (milliseconds) => {
        waits.push(milliseconds);
        if (waits.length === 4) lift();
      },
    });
    const first = captureIo(env);
    expect(await command.run([id, '--ledger', `sqlite:${path}`], first.io)).toBe(1);
    expect(waits).toEqual([2000, 4000]);
    expect(first.stderr()).toContain('heal_failed');
    expect(first.stderr()).toContain('Try: agents-hybrid-session heal');
    const second = captureIo(env);
    expect(await command.run([id, '--ledger', `sqlite:${path}`], second.io)).toBe(0);
    expect(listedIds(simulator, second.stdout().trim())).toHaveLength(38);
    expect(first.stderr() + second.stderr()).not.toContain('sk-secret');
  });
});

describe('agents-hybrid-session heal with responses alone', () => {
  it('heal reconstructs the history from responses, and reports caveats', async () => {
    const found = await damaged();
    const { id, responses, simulator } = found;
    const { code, stdout, stderr } = await run(found, id, ...given(responses));
    expect(code).toBe(0);
    expect(listOf(simulator, stdout.trim())).toBe('u,a,u,a,u,a,u,a');
    expect(stderr).toContain('Give your sessions the new ID.');
    expect(stderr).toContain('Losses before the oldest of these responses');
    expect(stderr).toContain(`--to ${stdout.trim()}`);
    expect(stderr).not.toMatch(/Answer|thanks/);
  });

  it('heal takes responses from standard input', async () => {
    const { env, id, responses, simulator } = await damaged();
    const { io, stdout } = captureIo(env, { input: responses.map((one) => `turn done id=${one}\n`) });
    expect(await main(['heal', id, '--response', '-', '--quiet'], io)).toBe(0);
    expect(listOf(simulator, stdout().trim())).toBe('u,a,u,a,u,a,u,a');
  });

  it('heal writes the reconstructed history to an empty ledger, and the session continues there', async () => {
    const found = await damaged();
    const { id, responses, client } = found;
    const path = `${await folder()}/sessions.db`;
    const { code, stdout, stderr } = await run(found, id, '--ledger', `sqlite:${path}`, ...given(responses));
    expect(code).toBe(0);
    expect(stderr).toContain('Sessions with this ledger use the new one.');
    const ledger = sqliteLedger({ path });
    onTestFinished(() => ledger.close());
    const session = new HybridSession({ client, ledger, conversationId: id });
    expect(roles(await session.getItems())).toBe('u,a,u,a,u,a,u,a');
    expect(await session.getSessionId()).toBe(id);
    expect(session.conversationId).toBe(stdout.trim());
  });

  it('heal adds the lost items to a ledger that began with a damaged list', async () => {
    const found = await damaged();
    const { id, responses, client, simulator } = found;
    const path = `${await folder()}/sessions.db`;
    const ledger = sqliteLedger({ path });
    await new HybridSession({ client, ledger, conversationId: id }).getItems();
    await ledger.close();
    const args = [id, '--ledger', `sqlite:${path}`, ...given(responses)];
    const dry = await run(found, ...args, '--dry-run');
    expect(dry.stdout.trimEnd().split('\n')).toHaveLength(8);
    const { code, stdout, stderr } = await run(found, ...args);
    expect(code).toBe(0);
    expect(stderr).toContain('3 item(s) were restored from the responses.');
    expect(listOf(simulator, stdout.trim())).toBe('u,a,u,a,u,a,u,a');
  });

  it('heal --to continues in the conversation of the earlier heal, and in no other', async () => {
    const found = await damaged();
    const { id, responses, simulator, client, env } = found;
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    const stopped = captureIo(env);
    const lift = simulator.onRequest(({ method, path }) => {
      if (method === 'POST' && path.endsWith('/items')) stopped.stop('SIGTERM');
    });
    expect(await main(['heal', id, ...given(responses)], stopped.io)).toBe(130);
    lift();
    const to = /--to (conv_\w+)/.exec(stopped.stderr())?.[1] ?? '';
    expect(stopped.stderr()).toContain(`To go on: agents-hybrid-session heal ${id} --to ${to}`);
    const done = await run(found, id, ...given(responses), '--to', to);
    expect(done).toMatchObject({ code: 0, stdout: `${to}\n` });
    expect(listOf(simulator, to)).toBe('u,a,u,a,u,a,u,a');
    const other = await client.conversations.create({ items: [{ role: 'user', content: 'mine' }] });
    const refused = await run(found, id, ...given(responses), '--to', other.id);
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(listOf(simulator, other.id)).toBe('u');
    const { conversations } = simulator.snapshot();
    // The bookmark of the new one, too.
    const bookmarks = conversations.filter(({ metadata }) => 'history' in metadata);
    expect([conversations.length, bookmarks.length]).toEqual([4, 1]);
  });

  it('heal exits with 2 and writes nothing when an item has no source, and names it', async () => {
    const found = await damaged();
    const { id, responses, client, simulator } = found;
    for (const one of responses.slice(1, 2)) await client.responses.delete(one);
    const before = simulator.snapshot();
    const { code, stdout, stderr } = await run(found, id, ...given(responses.slice(0, 2)), '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, healed: false, conversationId: null });
    expect(stderr).toContain('nothing was written');
    expect(simulator.snapshot()).toEqual(before);
  });

  it('heal exits with 3 when no source knows the conversation', async () => {
    const found = await damaged();
    const { id } = found;
    const nothing = await run(found, id);
    expect(nothing).toMatchObject({ code: 3, stdout: '' });
    expect(nothing.stderr).toBe(
      `agents-hybrid-session heal: nothing_known: No ledger was given, and no response\n` +
        `Try: agents-hybrid-session heal ${id} --response resp_... (or --response - for a list)\n`,
    );
    expect(await run(found, id, '--response', 'resp_unknown1')).toMatchObject({ code: 3, stdout: '' });
  });

  it('heal --dry-run writes neither to the API nor to a ledger', async () => {
    const found = await damaged();
    const { id, responses, simulator } = found;
    const before = simulator.snapshot();
    const { code, stdout } = await run(found, id, ...given(responses), '--dry-run');
    expect(code).toBe(0);
    expect(stdout.match(/^link {2}#\d message/gm)).toHaveLength(8);
    expect(simulator.snapshot()).toEqual(before);
  });
});

describe('agents-hybrid-session heal', () => {
  it('heal has a help text with examples', async () => {
    const { io, stdout } = captureIo();
    expect(await main(['heal', '--help'], io)).toBe(0);
    expect(stdout()).toContain('Examples:\n  agents-hybrid-session heal conv_...');
    for (const option of ['--ledger', '--response', '--base-url', '--dry-run', '--to', '--json', '--quiet'])
      expect(stdout()).toContain(`  ${option}`);
  });

  it('heal refuses contradictory arguments with a hint', async () => {
    const found = await world();
    for (const args of [
      [],
      ['conv_1', 'conv_2'],
      ['conv_1', '--nonsense'],
      ['resp_1'],
      ['conv_1', '--ledger', 'x'],
      ['conv_1', '--to', ''],
    ]) {
      const { code, stderr } = await run(found, ...args);
      expect(code).toBe(64);
      expect(stderr).toMatch(/^agents-hybrid-session heal: .+\nTry: agents-hybrid-session heal/);
    }
  });
});
