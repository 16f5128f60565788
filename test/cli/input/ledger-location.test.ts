import { existsSync } from 'node:fs';
import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { importItems, ledgerFrom } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { listeningSimulator, runCommand, temporaryFolder } from '../support/on-a-ledger.ts';
import { useVirtualTime } from '../../support/virtual-time.ts';

useVirtualTime();

const file = temporaryFolder();
const server = listeningSimulator();

async function recorded(sessionId: string, items: readonly AgentInputItem[]): Promise<string> {
  const path = file('sessions.db');
  const ledger = sqliteLedger({ path });
  await importItems({ ledger, sessionId, items });
  await ledger.close();
  return `sqlite:${path}`;
}

/** A password in every place of an address, also where it makes the address wrong. */
const ADDRESSES = [
  'redis://:hunter2@127.0.0.1:1/0',
  'redis://hunter2@127.0.0.1:1/0',
  'redis:redis://ada:hunter2@127.0.0.1:1/0',
  'redis://127.0.0.1:1/0?password=hunter2',
  'postgres://ada:hunter2@127.0.0.1:1/app',
  'postgres:ada:hunter2@127.0.0.1:1/app',
  'postgres:/ada:hunter2@127.0.0.1:1/app',
  'postgres://ada:12/hunter2@127.0.0.1:1/app',
  'postgres://ada:hunter2/x@127.0.0.1:1/app',
  'postgres://127.0.0.1:1#hunter2@127.0.0.1:1/app',
  'postgres://127.0.0.1:1?hunter2@127.0.0.1:1/app',
  'postgres://ada:hunter2 x@127.0.0.1:1/app',
  'postgres://127.0.0.1:1/app?user=ada&password=hunter2',
  'mssql://ada:hunter2@127.0.0.1:1/app',
  'mysql://ada:hunter2@127.0.0.1:1/app',
  'mariadb:ada:hunter2@127.0.0.1:1/app',
  'mysql://ada:12/hunter2@127.0.0.1:1/app',
  'mysql://127.0.0.1:1/app?user=ada&password=hunter2',
  'mysql://127.0.0.1:1?hunter2@127.0.0.1:1/app',
  'mysql:postgres://ada:hunter2@127.0.0.1:1/app',
  'sqlite:postgres://ada:hunter2@127.0.0.1:1/app',
  'sqlite://ada:hunter2@127.0.0.1:1/app',
];

function nameOrProblem(address: string): string {
  try {
    return ledgerFrom(address).name;
  } catch (error) {
    return String(error);
  }
}

describe('a password in the address of a ledger', () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['doctor', 'conv_1'],
    ['heal', 'conv_1'],
    ['export', 'conv_1'],
    ['inspect', 'conv_1', '--json'],
    ['erase', 'conv_1', '--yes'],
    ['import', '-', '--session', 's'],
  ];

  it.each(ADDRESSES)(
    'no command prints the password of a ledger address: %s',
    async (address) => {
      for (const command of COMMANDS) {
        const typed = [
          [...command, '--ledger', address],
          [...command, `--ledger=${address}`],
          [...command, address],
        ];
        for (const args of typed) {
          const { code, stdout, stderr } = await runCommand(args, server.env());
          expect(code).toBeGreaterThan(0);
          expect(stderr).not.toBe('');
          expect(stdout + stderr).not.toContain('hunter2');
        }
        const env = { ...server.env(), HYBRID_SESSION_LEDGER: address };
        const { code, stdout, stderr } = await runCommand(command, env);
        expect(code).toBeGreaterThan(0);
        expect(stdout + stderr).not.toContain('hunter2');
      }
      expect(existsSync('ada:hunter2@127.0.0.1:1')).toBe(false);
    },
    120_000,
  );

  it('the name of a ledger holds no password', () => {
    for (const address of ADDRESSES) {
      expect(nameOrProblem(address)).not.toContain('hunter2');
    }
  });
});

describe('HYBRID_SESSION_LEDGER', () => {
  it('HYBRID_SESSION_LEDGER names the ledger without --ledger', async () => {
    const HYBRID_SESSION_LEDGER = await recorded('s', [{ role: 'user', content: 'hi' }]);
    const env = { HYBRID_SESSION_LEDGER };
    const line = '{"role":"user","content":"hi"}\n';
    expect(await runCommand(['export', 's'], env)).toMatchObject({ code: 0, stdout: line });
    expect(await runCommand(['inspect', 's'], env)).toMatchObject({ code: 0 });
    const imported = await runCommand(['import', '-', '--session', 't'], env, { input: [line] });
    expect(imported).toMatchObject({ code: 0, stdout: 't\n' });
    expect(await runCommand(['erase', 's', '--yes'], env)).toMatchObject({ code: 0 });
    expect(await runCommand(['doctor', 'conv_1', '--json'], { ...server.env(), ...env })).toMatchObject({
      code: 3,
    });
    for (const name of ['doctor', 'heal', 'export', 'import', 'inspect', 'erase'])
      expect((await runCommand(['help', name])).stdout).toContain('HYBRID_SESSION_LEDGER');
  });

  it('HYBRID_SESSION_LEDGER is ignored beside --ledger, and when it is empty', async () => {
    const ledger = await recorded('s', []);
    const wrong = { HYBRID_SESSION_LEDGER: 'mssql:x' };
    expect(await runCommand(['export', 's', '--ledger', ledger], wrong)).toMatchObject({ code: 0 });
    expect((await runCommand(['export', 's'], wrong)).code).toBe(64);
    const none = await runCommand(['inspect', 's'], { HYBRID_SESSION_LEDGER: '' });
    expect(none.stderr).toContain('--ledger is needed');
  });
});
