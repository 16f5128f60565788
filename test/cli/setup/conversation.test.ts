import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CONVERSATION,
  CONVERSATION_HELP,
  CONVERSATION_OPTIONS,
  withConversation,
  type OpenedConversation,
} from '../../../src/cli/setup/conversation.ts';
import { describeError } from '../../../src/cli/command.ts';
import { loadPackage } from '../../../src/cli/setup/load-package.ts';
import { parseOperand } from '../../../src/cli/input/parse-options.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { openSqlite } from '../../../src/stores/sqlite/open.ts';
import { checkpoint, record } from '../../stores/support/records.ts';
import { temporaryFolder } from '../../stores/support/temporary-folder.ts';
import { captureIo, type Surroundings } from '../support/captured-io.ts';

const KEY = { OPENAI_API_KEY: 'sk-secret-key' };

async function open<T>(
  args: readonly string[],
  work: (opened: OpenedConversation) => Promise<T>,
  {
    env = KEY,
    readOnly = true,
    ...surroundings
  }: Surroundings & {
    readonly env?: Readonly<Record<string, string>>;
    readonly readOnly?: boolean;
  } = {},
): Promise<T> {
  const given = parseOperand('doctor', args, CONVERSATION_OPTIONS, CONVERSATION);
  const options = { command: 'doctor', readOnly, signal: new AbortController().signal };
  return withConversation(captureIo(env, surroundings).io, given, options, work);
}

async function failure(...given: Parameters<typeof open>): Promise<string> {
  try {
    await open(...given);
  } catch (error) {
    return describeError(error, 'agents-hybrid-session doctor');
  }
  throw new Error('It did not fail');
}

const nothing = async (): Promise<void> => undefined;
const url = async ({ client }: OpenedConversation): Promise<string> => client.baseURL;
const noPackage = (name: string): Promise<unknown> =>
  Promise.reject(Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' }));

function retrieve(client: OpenAI): Promise<unknown> {
  return client.withOptions({ maxRetries: 0 }).conversations.retrieve('conv_1');
}

async function folder(): Promise<string> {
  const made = await temporaryFolder();
  onTestFinished(made.remove);
  return made.path;
}

describe('a command on one conversation', () => {
  it('a command takes the conversation before, between and after the options', async () => {
    const ids = ['--response', 'resp_1', '--response', 'resp_2'];
    for (const args of [
      ['conv_1', ...ids],
      [...ids, 'conv_1'],
      [...ids.slice(0, 2), 'conv_1', ...ids.slice(2)],
    ]) {
      const found = await open(args, async ({ conversationId, responses }) => [conversationId, ...responses]);
      expect(found).toEqual(['conv_1', 'resp_1', 'resp_2']);
    }
  });

  it.each([
    [[], 'No conversation was given', 'doctor conv_...'],
    [[''], 'No conversation was given', 'doctor conv_...'],
    [['conv_1', 'conv_2'], "Unexpected argument 'conv_2'", 'doctor conv_1'],
    [['conv_1', '--fast'], "Unknown option '--fast'", 'doctor --help'],
    [['resp_1'], "'resp_1' is not the ID of a conversation", 'doctor conv_... --response resp_1'],
    [
      ['conv_1', '--base-url', 'ftp://secret@x'],
      '--base-url must be a URL',
      'doctor --base-url http://127.0.0.1',
    ],
  ])('a command on a conversation refuses %j', async (args, problem, hint) => {
    const said = await failure(args, nothing);
    expect(said).toContain(`agents-hybrid-session doctor: invalid_argument: ${problem}`);
    expect(said).toContain(`Try: agents-hybrid-session ${hint}`);
    expect(said).not.toContain('secret');
  });

  it('each help text explains every shared option', () => {
    const explained = Array.from(CONVERSATION_HELP.matchAll(/^ {2}--([\w-]+)/gm), ([, name]) => name);
    expect(explained).toEqual(Object.keys(CONVERSATION_OPTIONS));
  });

  it('a command on a conversation needs a key', async () => {
    const said = await failure(['conv_1'], nothing, { env: {} });
    expect(said).toContain('missing_api_key: The environment variable OPENAI_API_KEY is not set');
    expect(said).toContain('Try: OPENAI_API_KEY=sk-... agents-hybrid-session doctor');
  });

  it('--base-url names the server', async () => {
    const env = { ...KEY, OPENAI_BASE_URL: 'http://127.0.0.1:1/env' };
    expect(await open(['conv_1'], url, { env })).toBe('http://127.0.0.1:1/env');
    expect(await open(['conv_1', '--base-url', 'http://127.0.0.1:1/option'], url, { env })).toBe(
      'http://127.0.0.1:1/option',
    );
    expect(await open(['conv_1'], url)).toBe('https://api.openai.com/v1');
  });
});

describe('--ledger', () => {
  it.each([
    ['mssql://u:secret@h'],
    ['mysql:'],
    ['mysql:postgres://u:secret@h'],
    ['sqlite:'],
    ['redis:'],
    ['postgres:mysql://u:secret@h'],
    ['secret.db'],
    ['conversation'],
    [''],
  ])('--ledger refuses %j and does not repeat it', async (value) => {
    const said = await failure(['conv_1', '--ledger', value], nothing);
    expect(said).toMatch(/invalid_argument: --ledger .*\nTry: agents-hybrid-session doctor .* --ledger \w+:/);
    expect(said).not.toContain('secret');
  });

  it('--ledger opens a SQLite file, and closes it after the work', async () => {
    const path = join(await folder(), 'ledger.db');
    const written = sqliteLedger({ path });
    await written.append('conv_1', [record('one')], checkpoint(1), 0);
    await written.close();
    const store = await open(['conv_1', '--ledger', `sqlite:${path}`], async ({ ledger }) => {
      expect(ledger?.name).toBe(path);
      expect(await ledger?.store.checkpoint('conv_1')).toEqual(checkpoint(1));
      return ledger?.store;
    });
    await expect(store?.checkpoint('conv_1')).rejects.toMatchObject({ reason: 'closed' });
  });

  it('--ledger creates no file for a command that only reads', async () => {
    const path = join(await folder(), 'ledger.db');
    const said = await failure(['conv_1', '--ledger', `sqlite:${path}`], nothing);
    expect(said).toContain(`no_such_ledger: Cannot use the ledger: there is no file '${path}'`);
    expect(said).toContain(
      'Try: agents-hybrid-session doctor ... --ledger sqlite:sessions.db, with an existing ledger',
    );
    expect(existsSync(path)).toBe(false);
    await open(['conv_1', '--ledger', `sqlite:${path}`], nothing, { readOnly: false });
    expect(existsSync(path)).toBe(true);
  });

  it('--ledger creates no tables in a foreign database, and refuses a file that is no database', async () => {
    const path = join(await folder(), 'other.db');
    const database = await openSqlite(path);
    database.exec('CREATE TABLE mine (id INTEGER)');
    database.close();
    const before = await readFile(path);
    expect(await failure(['conv_1', '--ledger', `sqlite:${path}`], nothing)).toContain('holds no ledger');
    expect((await readFile(path)).equals(before)).toBe(true);
    await writeFile(path, 'Dear diary, '.repeat(100));
    const said = await failure(['conv_1', '--ledger', `sqlite:${path}`], nothing);
    expect(said).toContain('ledger_unreachable: ');
    expect(said).not.toContain('diary');
  });

  it.each([
    ['redis:redis://u:secret@127.0.0.1', 'redis'],
    ['postgres:postgres://u:secret@127.0.0.1/db', 'pg'],
    ['mysql://u:secret@127.0.0.1/db', 'mysql2'],
    ['mariadb://u:secret@127.0.0.1/db', 'mysql2'],
  ])('a missing driver names the package to install for %s', async (ledger, driver) => {
    const said = await failure(['conv_1', '--ledger', ledger], nothing, { load: noPackage });
    expect(said).toContain(`missing_driver: Cannot use the ledger: the package '${driver}' is needed for it`);
    expect(said).toContain(`Try: npm install ${driver}\n`);
    expect(said).not.toContain('secret');
  });

  it.each([
    'redis:redis://u:secret@127.0.0.1:PORT/1',
    'postgres:postgres://u:secret@127.0.0.1:PORT/db',
    'mysql://u:secret@127.0.0.1:PORT/db',
  ])('an unreachable ledger is reported without the password: %s', async (ledger) => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    const said = await failure(['conv_1', '--ledger', ledger.replace('PORT', String(port))], nothing);
    expect(said).toContain('ledger_unreachable: The ledger at ');
    expect(said).toContain(`127.0.0.1:${port}`);
    expect(said).not.toContain('secret');
  });
});

describe('a request that fails', () => {
  it.each([
    [401, 'invalid_api_key', 'invalid_api_key: The API refused the key in OPENAI_API_KEY (401)'],
    [403, 'model_not_found', 'request_failed: A request to the API failed (403, model_not_found)'],
    [500, null, 'request_failed: A request to the API failed (500)'],
  ])('a failed request is reported by its status alone: %s %s', async (status, code, said) => {
    const error = { message: 'sk-secret-key is not the key', code, type: 't' };
    const fetch = async (): Promise<Response> => Response.json({ error }, { status });
    const shown = await failure(['conv_1'], ({ client }) => retrieve(client.withOptions({ fetch })));
    expect(shown).toContain(said);
    expect(shown).toMatch(/\nTry: .*agents-hybrid-session doctor conv_1/);
    expect(shown).not.toContain('secret');
  });

  it('an unreachable API is reported', async () => {
    const args = ['conv_1', '--base-url', 'http://127.0.0.1:1/v1'];
    const shown = await failure(args, ({ client }) => retrieve(client));
    expect(shown).toContain('no_connection: The API could not be reached');
  });
});

describe('drivers', () => {
  it('drivers are loaded from beside the package', async () => {
    expect(await loadPackage('redis')).toHaveProperty('createClient');
    await expect(loadPackage('no-such-package-anywhere')).rejects.toThrow('no-such-package-anywhere');
  });
});
