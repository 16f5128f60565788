import { Usage } from '@openai/agents';
import { expect, test } from 'vitest';
import { gatherResponse, type StreamEvent } from '../../src/model/gather-response.ts';
import { answer, begun, delta, streamed } from './scripted-model.ts';

async function* stream(events: readonly (StreamEvent | Error)[]): AsyncGenerator<StreamEvent> {
  for (const event of events) {
    if (event instanceof Error) throw event;
    yield event;
  }
}

test('makes one response of a stream', async () => {
  const gathered = await gatherResponse(stream(streamed('resp_1', 'hello')), []);
  const { output, providerData } = answer('resp_1', 'hello');
  expect(gathered).toMatchObject({ responseId: 'resp_1', output, providerData });
  expect(gathered.usage).toBeInstanceOf(Usage);
  expect(gathered.usage).toMatchObject({ requests: 1, totalTokens: 2 });
});

test('takes the whole body where the stream tells it', async () => {
  const body = { id: 'resp_1', status: 'completed', output: [{ type: 'message' }] };
  const completed: StreamEvent = { type: 'model', event: { type: 'response.completed', response: body } };
  const gathered = await gatherResponse(stream([...streamed('resp_1', 'hello'), completed]), []);
  expect(gathered.providerData).toEqual(body);
});

test('throws what the stream throws, and hands over what it said before', async () => {
  const failure = new Error('unsuccessful');
  const said: StreamEvent = { type: 'model', event: { type: 'error', error: { code: 'server_error' } } };
  const failures: StreamEvent[] = [];
  await expect(gatherResponse(stream([...begun('resp_1'), said, failure]), failures)).rejects.toBe(failure);
  expect(failures).toEqual([said]);
});

test('refuses a stream that ends before its response', async () => {
  await expect(gatherResponse(stream([...begun('resp_1'), delta('he')]), [])).rejects.toThrow(
    'The stream of the response ended before its last event',
  );
});
