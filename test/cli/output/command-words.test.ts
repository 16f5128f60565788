import { describe, expect, it } from 'vitest';
import { CommandError, describeError } from '../../../src/cli/command.ts';
import { nextCommand } from '../../../src/cli/output/next-command.ts';
import {
  ConversationNotFoundError,
  ConversationOwnedError,
  ConversationsUnavailableError,
  HealError,
  HistoryIncompleteError,
  ImportRefusedError,
  LedgerUnreadableError,
  MirrorIncompleteError,
} from '../../../src/index.ts';
import type { Diagnosis, Verdict } from '../../../src/doctor.ts';

const PROGRAM = 'agents-hybrid-session heal';

/** Words of code, which no command takes. */
const LIBRARY_WORDS =
  /conversationId|sessionId|onIncomplete|mirror: |keys'|heal\(\)|flush\(\)|leave out|append to them/;

const ERRORS = [
  new ConversationNotFoundError('conv_1'),
  new ConversationOwnedError('conv_1', 'user-1'),
  new ConversationsUnavailableError(404),
  new HistoryIncompleteError('user-1', [{ index: 3, kind: 'message:assistant' }]),
  new ImportRefusedError('user-1', 'not_empty', 'it has 2 item(s) already; append to them if that is meant'),
  new HealError('user-1', 'no_conversation'),
  new HealError('user-1', 'nothing_to_heal'),
  new HealError('user-1', 'unread'),
  new HealError('user-1', 'unwritten', { conversationId: 'conv_2', pending: 3, failure: 'Error (500)' }),
  new HealError('user-1', 'unverified', { conversationId: 'conv_2' }),
  new HealError('user-1', 'stopped', { conversationId: 'conv_2', pending: 3 }),
  new MirrorIncompleteError('conv_1', 2),
  new LedgerUnreadableError('user-1', 0, 'unknown_key', "no key with ID 'k' was given; add it to 'keys'"),
  new LedgerUnreadableError('user-1', 7, 'damaged', 'it has no type'),
];

describe('an error of the library in a command', () => {
  it.each(ERRORS.map((error) => [`${error.code} ${'reason' in error ? error.reason : ''}`, error] as const))(
    'the error %s tells a command to type, and no word of code',
    (_, error) => {
      const said = describeError(error, PROGRAM);
      expect(said).toMatch(
        new RegExp(`^${PROGRAM}: ${error.code}: .+\nTry: agents-hybrid-session \\w+ .+\n$`),
      );
      expect(said).not.toMatch(LIBRARY_WORDS);
      const hint = 'agents-hybrid-session heal conv_1 --again';
      const wrapped = describeError(
        new CommandError(error.code, error.message, hint, { cause: error }),
        PROGRAM,
      );
      expect(wrapped).toBe(`${said.split('\n')[0]}\nTry: ${hint}\n`);
    },
  );

  it('another error keeps its message', () => {
    expect(describeError(new Error('odd'), PROGRAM)).toBe(`${PROGRAM}: odd\nTry: ${PROGRAM} --help\n`);
    expect(describeError('odd', PROGRAM)).toBe(`${PROGRAM}: odd\nTry: ${PROGRAM} --help\n`);
    const cause = new ConversationNotFoundError('conv_1');
    expect(describeError(new CommandError('other', 'mine', 'type this', { cause }), PROGRAM)).toBe(
      `${PROGRAM}: other: mine\nTry: type this\n`,
    );
  });
});

function next(verdict: Verdict, given: Parameters<typeof nextCommand>[1], evidence = 'ledger'): string {
  return nextCommand({ verdict, evidence, askedFor: 'conv_1' } as Diagnosis, given);
}

describe('the command after a diagnosis', () => {
  it('the next command repeats the sources, and no address that may hold a password', () => {
    expect(next('whole', {})).toBe('nothing to do');
    expect(next('repairable', { ledger: "sqlite:my file's.db", scope: 'acme' })).toBe(
      String.raw`agents-hybrid-session heal conv_1 --ledger 'sqlite:my file'\''s.db' --scope acme --dry-run`,
    );
    for (const ledger of ['redis://ada:hunter2@h/0', 'sqlite:ada:hunter2@h'])
      expect(next('repairable', { ledger })).toBe('agents-hybrid-session heal conv_1 --ledger ... --dry-run');
    expect(next('repairable', { response: ['-'] })).toBe(
      'agents-hybrid-session heal conv_1 --response - --dry-run',
    );
    expect(next('unrecoverable', { response: ['resp_1'] })).toContain(
      '--response resp_1 --response resp_...',
    );
    expect(next('unknown', {}, 'list')).toContain('--ledger sqlite:sessions.db, or --response -');
    expect(next('unknown', { response: ['resp_1'] }, 'responses')).toContain('with more of its responses');
  });
});
