import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SimulatorOptions } from '../../mocks/options.ts';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { outline } from '../../mocks/wire/outline.ts';
import { postgresUrl } from '../stores/support/postgres-engines.ts';
import { startProgram, type RunningProgram } from '../package/run-program.ts';
import { FULL } from '../support/runs.ts';
import { installExample, type InstalledExample } from './support/installed-example.ts';
import { allEvents, serverSentEvents, type ServerSentEvent } from './support/server-sent-events.ts';

interface Backend extends RunningProgram {
  /** Sends a question or a decision. */
  readonly send: (path: string, body: object) => Promise<Response>;
  /** The events that answer it, without the pieces of text. */
  readonly events: (path: string, body: object) => Promise<ServerSentEvent[]>;
  readonly get: (path: string) => Promise<Response>;
}

interface Deployment {
  readonly simulator: SimulatorCore;
  /** Starts one more process of the backend. */
  readonly start: () => Promise<Backend>;
}

/** The environment variable that names an empty database. */
async function emptyDatabase(kind: string): Promise<Readonly<Record<string, string>>> {
  if (kind === 'SQLite') {
    const folder = mkdtempSync(join(tmpdir(), 'express-chat-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return { SQLITE_PATH: join(folder, 'chat.db') };
  }
  const name = `chat_${crypto.randomUUID().replaceAll('-', '')}`;
  const admin = new Pool({ connectionString: postgresUrl ?? '' });
  await admin.query(`CREATE DATABASE ${name}`);
  onTestFinished(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  return { DATABASE_URL: Object.assign(new URL(postgresUrl ?? ''), { pathname: `/${name}` }).href };
}

/** The backend with a database of its own, against an API that loses every answer. */
async function deploy(app: string, kind: string, options: SimulatorOptions = {}): Promise<Deployment> {
  const simulator = createSimulatorCore({ unlink: 'every-turn', ...options });
  onTestFinished(() => simulator.close());
  const { url } = await simulator.listen();
  const env = {
    ...(await emptyDatabase(kind)),
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'test',
    PORT: '0',
  };
  const start = async (): Promise<Backend> => {
    const program = startProgram('node', ['server.js'], { cwd: app, env });
    onTestFinished(async () => {
      program.child.kill('SIGKILL');
      await program.finished;
    });
    const address = (await program.line(/^listening on /)).replace('listening on ', '');
    const send = (path: string, body: object): Promise<Response> =>
      fetch(`${address}/chats/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const events = async (path: string, body: object): Promise<ServerSentEvent[]> => {
      const all = await allEvents(serverSentEvents(await send(path, body)));
      return all.filter(({ event }) => event !== 'delta');
    };
    return { ...program, send, events, get: (path) => fetch(`${address}${path}`) };
  };
  return { simulator, start };
}

/** What the model was shown last. */
const lastContext = ({ log }: SimulatorCore): string =>
  outline(log.findLast(({ context }) => context !== undefined)?.context ?? []);

describe.runIf(FULL)('the example express-chat', () => {
  let example: InstalledExample;
  beforeAll(async () => {
    example = await installExample('express-chat');
  });
  afterAll(() => example.dispose());

  const kinds = ['SQLite', 'PostgreSQL'].map((kind) => ({
    kind,
    missing: kind === 'PostgreSQL' && postgresUrl === undefined,
  }));

  describe.each(kinds)('on $kind', ({ kind, missing }) => {
    it.skipIf(missing)(
      `a chat on ${kind} goes on in another process with its agent, and an approval outlives the process that asked`,
      async () => {
        const { simulator, start } = await deploy(example.folder, kind);
        const [first, second] = await Promise.all([start(), start()]);

        await first.events('ada/messages', { text: 'my name is Ada' });
        const handedOver = await second.events('ada/messages', { text: 'call transfer_to_Billing {}' });
        expect(handedOver[0]).toEqual({ event: 'agent', data: { name: 'Billing' } });
        const order = JSON.stringify({ orderId: '1001' });
        const looked = await first.events('ada/messages', { text: `call get_order ${order}` });
        expect(looked.map(({ event }) => event)).toEqual(['tool', 'done']);
        expect(String(looked[1]?.data['output'])).toContain('Lamp');

        const asked = await first.events('ada/messages', { text: `call refund_order ${order}` });
        expect(asked.at(-1)).toEqual({
          event: 'approval',
          data: { calls: [{ name: 'refund_order', arguments: order }] },
        });
        first.child.kill('SIGKILL');
        await first.finished;
        const third = await start();
        expect((await third.send('ada/messages', { text: 'hello?' })).status).toBe(409);

        const decisions = await Promise.all(
          [second, third].map((backend) => backend.send('ada/approval', { approve: true })),
        );
        expect(decisions.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
        await Promise.all(decisions.map((response) => response.text()));

        await second.events('ada/messages', { text: 'thanks' });
        expect(lastContext(simulator)).toBe('u,a,u,c,r,a,u,c,r,a,u,c,r,a,u');
        const chat = (await (await third.get('/chats/ada')).json()) as Record<string, unknown>;
        expect(chat).toMatchObject({ agent: 'Billing', pending: false });
        expect(chat['items']).toHaveLength(16);
      },
    );

    it.skipIf(missing)(`a refused call on ${kind} is not run, and the chat goes on`, async () => {
      const { simulator, start } = await deploy(example.folder, kind);
      const backend = await start();
      await backend.events('bob/messages', { text: 'call transfer_to_Billing {}' });
      await backend.events('bob/messages', { text: 'call refund_order {"orderId":"1002"}' });
      const [done] = (await backend.events('bob/approval', { approve: false })).slice(-1);
      expect(done?.event).toBe('done');
      expect(String(done?.data['output'])).not.toContain('"refunded":true');
      expect(lastContext(simulator)).toBe('u,c,r,a,u,c,r');
    });
  });

  it('SIGTERM lets an answer end that is streamed, writes the conversation, and the next process knows the turn', async () => {
    const { simulator, start } = await deploy(example.folder, 'SQLite', {
      pace: { firstToken: 1, rate: 40 },
    });
    const backend = await start();
    expect(await (await backend.get('/healthz')).json()).toEqual({ status: 'ok' });

    const streamed = serverSentEvents(await backend.send('eve/messages', { text: 'a long question' }));
    expect((await streamed.next()).value).toMatchObject({ event: 'delta' });
    // The conversation refuses the turn once: it is pending when the process ends.
    simulator.fault('conversations.items.create', { status: 500, times: 1 });
    backend.child.kill('SIGTERM');
    const rest = await allEvents(streamed);
    expect(rest.at(-1)?.event).toBe('done');
    expect(await backend.finished).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\nclosed\n$/) as unknown,
    });

    const [conversation] = simulator.snapshot().conversations;
    expect(conversation?.items).toHaveLength(2);
    const next = await start();
    await next.events('eve/messages', { text: 'and another' });
    expect(lastContext(simulator)).toBe('u,a,u');
  });

  it('a failing API ends the stream with an error event, and the question is kept', async () => {
    const { simulator, start } = await deploy(example.folder, 'SQLite');
    const backend = await start();
    const lift = simulator.fault('responses.create', { status: 400, message: 'secret words' });
    const events = await backend.events('joe/messages', { text: 'private words' });
    expect(events).toEqual([{ event: 'error', data: { message: 'The answer failed. Please try again.' } }]);
    lift();
    await backend.events('joe/messages', { text: 'again' });
    expect(lastContext(simulator)).toBe('u,u');
    backend.child.kill('SIGTERM');
    const { stderr } = await backend.finished;
    expect(stderr).toContain('"chatId":"joe"');
    expect(stderr).not.toMatch(/secret words|private words/);
  });
});
