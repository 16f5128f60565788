import { describe, expect, it } from 'vitest';
import { readResponseIds, responseIdsIn } from '../../../src/cli/input/response-ids.ts';
import { captureIo } from '../support/captured-io.ts';

const { signal } = new AbortController();

function read(values: readonly string[], ...input: string[]): Promise<string[]> {
  return readResponseIds('doctor', values, captureIo({}, { input }).io, signal);
}

describe('readResponseIds', () => {
  it('readResponseIds keeps the given IDs, each once, in order', async () => {
    expect(await read(['resp_b', 'resp_a', 'resp_b', 'chatcmpl-7'])).toEqual([
      'resp_b',
      'resp_a',
      'chatcmpl-7',
    ]);
  });

  it('readResponseIds reads a list in place of -', async () => {
    expect(await read(['resp_1', '-', 'resp_9'], 'resp_2\nresp_3\n', 'resp_2')).toEqual([
      'resp_1',
      'resp_2',
      'resp_3',
      'resp_9',
    ]);
  });

  it('readResponseIds finds an ID split over two pieces', async () => {
    expect(await read(['-'], 'first resp_12', '34, then re', 'sp_56\nresp_7', '8')).toEqual([
      'resp_1234',
      'resp_56',
      'resp_78',
    ]);
  });

  it('readResponseIds does not wait for the end of a very long line', async () => {
    const long = `{"id":"resp_1","rest":"${'x'.repeat(70_000)} `;
    expect(await read(['-'], long, '"} resp_2')).toEqual(['resp_1', 'resp_2']);
  });

  it('readResponseIds tells a terminal how to end the list', async () => {
    const { io, stderr } = captureIo({}, { input: ['resp_1'], terminal: { input: true } });
    await readResponseIds('doctor', ['-'], io, signal);
    expect(stderr()).toContain('Ctrl-D');
  });

  it.each([[''], ['resp_1 resp_2'], ['../conversations']])('readResponseIds refuses %j', async (value) => {
    await expect(read([value])).rejects.toMatchObject({ name: 'UsageError' });
  });

  it('readResponseIds stops when the signal is aborted', async () => {
    const { io } = captureIo({}, { input: ['resp_1'] });
    await expect(readResponseIds('doctor', ['-'], io, AbortSignal.abort())).rejects.toThrow('aborted');
  });
});

describe('responseIdsIn', () => {
  it.each([
    [
      'JSON Lines',
      '{"response":{"id":"resp_0a1b"}}\n{"response_id":"resp_2c3d"}',
      ['resp_0a1b', 'resp_2c3d'],
    ],
    ['JSON in JSON', String.raw`{"body":"{\"id\":\"resp_1a\",\n\"x\":\nresp_2b}"}`, ['resp_1a', 'resp_2b']],
    ['a log', 'POST /v1/responses -> resp_1, GET /v1/responses/resp_2/input_items 200', ['resp_1', 'resp_2']],
    ['names that are no IDs', 'resp_id=resp_1 "resp_time": 12 resp_status : ok', ['resp_1']],
    [
      'IDs of other servers',
      'resp_5f-77-ab resp_a_b, resp_alpha',
      ['resp_5f-77-ab', 'resp_a_b', 'resp_alpha'],
    ],
    ['nothing', 'no response here: resp_', []],
  ])('responseIdsIn finds IDs in %s', (_, text, ids) => {
    expect(responseIdsIn(text)).toEqual(ids);
  });
});
