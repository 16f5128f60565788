import { describe, expect, it } from 'vitest';
import { contentSources } from '../../../src/doctor/evidence/sources.ts';
import { keyOf, readResponse, readResponses } from '../told-responses.ts';

const told = (sources: readonly { readonly source: string; readonly responseId?: string }[]): string[] =>
  sources.map(({ source, responseId = '?' }) => `${source} ${responseId}`);

const response = (responseId: string) => `response ${responseId}`;

describe('the responses that hold an item', () => {
  const find = contentSources(
    readResponses({
      b: { time: 2000, output: ['a yes'], input: ['u hi'] },
      a: { time: 1000, output: ['a yes', 'a other'], input: ['u hi'] },
      c: { time: 3000, input: ['u hi', 'a yes', 'u more'] },
    }),
  );

  it('an output is found in its own response, then in equal ones by age, then in the newest input', () => {
    expect(told(find(keyOf('a yes'), 'b'))).toEqual([response('b'), response('a'), 'chain c']);
    expect(told(find(keyOf('a yes'), undefined))).toEqual([response('a'), response('b'), 'chain c']);
    expect(told(find(keyOf('a yes'), 'c'))).toEqual([response('a'), response('b'), 'chain c']);
    expect(told(find(keyOf('a other'), 'a'))).toEqual([response('a')]);
  });

  it('an input is found in the newest response that was given it', () => {
    expect(told(find(keyOf('u hi'), undefined))).toEqual(['chain c']);
  });

  it('an unknown item is found nowhere', () => {
    expect(find(undefined, 'a')).toEqual([]);
    expect(find(keyOf('u nowhere'), 'a')).toEqual([]);
  });

  it('no more than three outputs are named, each once', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const alike = contentSources(
      ids.map((id, at) => readResponse(id, { time: at, output: ['a yes', 'a yes'] })),
    );
    expect(told(alike(keyOf('a yes'), 'e'))).toEqual([response('e'), response('a'), response('b')]);
  });

  it('a response without a time is the oldest', () => {
    const some = contentSources([
      readResponse('b', { time: 1000, output: ['a yes'] }),
      readResponse('a', { time: undefined, output: ['a yes'] }),
    ]);
    expect(told(some(keyOf('a yes'), undefined))).toEqual([response('a'), response('b')]);
  });
});
