import { describe, expect, it } from 'vitest';
import { guardedIo, plain } from '../../src/cli/guarded-io.ts';
import { captureIo } from './captured-io.ts';

function said(text: string, env: Record<string, string> = {}): { out: string; err: string } {
  const { io, stdout, stderr } = captureIo(env);
  const guarded = guardedIo(io);
  guarded.out(text);
  guarded.err(text);
  return { out: stdout(), err: stderr() };
}

describe('what a command says', () => {
  it('never shows a key, a token or a password of the environment', () => {
    const env = {
      OPENAI_API_KEY: 'key-of-the-account',
      SESSION_TOKEN: 'token-1234',
      DATABASE_URL: 'postgres://ada:hunter2hunter2@db/x',
      HOME: '/home/ada',
    };
    const text = 'key-of-the-account token-1234 hunter2hunter2 /home/ada';
    expect(said(text, env)).toEqual({ out: '*** *** *** /home/ada', err: '*** *** *** /home/ada' });
  });

  it('hides the longer of two secrets first', () => {
    const env = { A_KEY: 'secret-123', B_KEY: 'secret-123-and-more' };
    expect(said('secret-123-and-more', env).out).toBe('***');
  });

  it('leaves short values alone: they are words', () => {
    expect(said('any', { OPENAI_API_KEY: 'any' })).toEqual({ out: 'any', err: 'any' });
  });

  it('shows no key that was typed, among the words', () => {
    expect(said("Unexpected argument 'sk-proj-abcdefgh1234'").err).toBe("Unexpected argument 'sk-***'");
  });

  it('moves no cursor and forges no line, where it quotes something', () => {
    expect(plain('a\u001B[2Kb\rc\nd\te\u202Ef')).toBe('a\\u001b[2Kb\\u000dc\nd\te\\u202ef');
  });
});
