import { describe, expect, it } from 'vitest';
import { CLEAR_LINE, redactSecrets, report } from '../../../src/cli/output/redact.ts';
import { captureIo } from '../support/captured-io.ts';

interface Said {
  readonly data: string;
  readonly report: string;
  readonly err: string;
}

/** One text as data, as a message on standard output, and as a message on standard error. */
function said(text: string, env: Record<string, string> = {}, typed: readonly string[] = []): Said {
  const [data, words] = [captureIo(env), captureIo(env)];
  redactSecrets(data.io, typed).out(text);
  report(redactSecrets(words.io, typed), text);
  redactSecrets(words.io, typed).err(text);
  return { data: data.stdout(), report: words.stdout(), err: words.stderr() };
}

describe('words of a command', () => {
  it('messages show no key, token or password of the environment', () => {
    const env = {
      OPENAI_API_KEY: 'key-of-the-account',
      SESSION_TOKEN: 'token-1234',
      DATABASE_URL: 'postgres://ada:hunter2hunter2@db/x',
      HOME: '/home/ada',
    };
    const text = 'key-of-the-account token-1234 hunter2hunter2 /home/ada';
    const words = '*** *** *** /home/ada';
    expect(said(text, env)).toEqual({ data: text, report: words, err: words });
  });

  it('messages hide the longer of two secrets first', () => {
    const env = { A_KEY: 'secret-123', B_KEY: 'secret-123-and-more' };
    expect(said('secret-123-and-more', env).err).toBe('***');
  });

  it('messages keep short values of the environment, which are words', () => {
    expect(said('any', { OPENAI_API_KEY: 'any' }).err).toBe('any');
  });

  it('messages show no typed key', () => {
    expect(said("Unexpected argument 'sk-proj-abcdefgh1234'").err).toBe("Unexpected argument 'sk-***'");
  });

  it.each([
    ['redis://:hunter2@db:6379/0', 'redis://***@db:6379/0'],
    ['redis://hunter2@db', 'redis://***@db'],
    ['redis:redis://ada:hunter2@db', 'redis:redis://***@db'],
    ['postgres://ada:hun/ter2@db/app', 'postgres://***@db/app'],
    ['postgres://ada:hun@ter2@db/app', 'postgres://***@db/app'],
    ['postgres://ada:hun ter2@db/app', 'postgres://***@db/app'],
    ["postgres://ada:hun'ter2@db/app", 'postgres://***@db/app'],
    ['postgres:ada:hunter2@db/app', 'postgres:***@db/app'],
    ['postgres:/ada:hunter2@db/app', 'postgres:***@db/app'],
    ['postgres://db/app?user=ada&password=hunter2', 'postgres://db/app?***'],
  ])('messages show only the place of %s', (address, shown) => {
    for (const words of [said(`Unexpected argument '${address}'`, {}, [address]).err])
      expect(words).toBe(`Unexpected argument '${shown}'`);
    const env = { HYBRID_SESSION_LEDGER: address };
    const { report: reported, err } = said(`at ${address} now`, env);
    expect([reported, err]).toEqual([`at ${shown} now`, `at ${shown} now`]);
  });

  it('messages keep addresses without a secret, and placeholders', () => {
    const text =
      'Try: agents-hybrid-session heal ... --ledger postgres:postgres://USER:PASSWORD@HOST/DATABASE --base-url http://127.0.0.1:8787/v1 pg@8';
    expect(said(text).err).toBe(text);
  });

  it('messages move no cursor and forge no line', () => {
    expect(said('a\u001B[2Kb\rc\nd\te\u202Ef').err).toBe('a\\u001b[2Kb\\u000dc\nd\te\\u202ef');
    expect(said(`${CLEAR_LINE}Reading\u0007`).err).toBe(`${CLEAR_LINE}Reading\\u0007`);
  });
});

describe('data', () => {
  it('data is written unchanged in any environment', () => {
    const text = 'install postgres at postgres://ada:postgres@db?x=1 with sk-abcdefgh1234 \u202E\n';
    expect(said(text, { POSTGRES_PASSWORD: 'postgres' }).data).toBe(text);
  });
});
