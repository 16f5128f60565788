import { Usage } from '@openai/agents';
import { expect, test } from 'vitest';
import { gatherResponse, type StreamEvent } from '../../src/chaining/gather-response.ts';
import { answer, begun, delta, streamed } from './scripted-model.ts';

async function* stream(events: readonly (StreamEvent | Error)[]): AsyncGenerator<StreamEvent> {
  for (const event of events) {
    if (event instanceof Error) throw event;
    yield event;
  }
}

test('gatherResponse makes one response of a stream', async () => {
  const gathered = await gatherResponse(stream(streamed('resp_1', 'hello')), []);
  const { output, providerData } = answer('resp_1', 'hello');
  expect(gathered).toMatchObject({ responseId: 'resp_1', output, providerData });
  expect(gathered.usage).toBeInstanceOf(Usage);
  expect(gathered.usage).toMatchObject({ requests: 1, totalTokens: 2 });
});

test('gatherResponse takes the whole body where the stream tells it', async () => {
  const body = { id: 'resp_1', status: 'completed', output: [{ type: 'message' }] };
  const completed: StreamEvent = { type: 'model', event: { type: 'response.completed', response: body } };
  const gathered = await gatherResponse(stream([...streamed('resp_1', 'hello'), completed]), []);
  expect(gathered.providerData).toEqual(body);
});

test('gatherResponse throws what the stream throws, and hands over what it said before', async () => {
  const failure = new Error('unsuccessful');
  const said: StreamEvent = { type: 'model', event: { type: 'error', error: { code: 'server_error' } } };
  const failures: StreamEvent[] = [];
  await expect(gatherResponse(stream([...begun('resp_1'), said, failure]), failures)).rejects.toBe(failure);
  expect(failures).toEqual([said]);
});

test('gatherResponse refuses a stream that ends before its response', async () => {
  await expect(gatherResponse(stream([...begun('resp_1'), delta('he')]), [])).rejects.toThrow(
    'The stream of the response ended before its last event',
  );
});

test('gatherResponse keeps what the server said of the request, where it said it', async () => {
  const events = streamed('resp_1', 'hello');
  const told = events.map((event) =>
    event.type === 'response_done'
      ? { ...event, response: { ...event.response, requestId: 'req_1', rawUsage: { total: 2 } } }
      : event,
  );
  expect(await gatherResponse(stream(told), [])).toMatchObject({
    requestId: 'req_1',
    rawUsage: { total: 2 },
  });
  const silent = await gatherResponse(stream(events), []);
  expect(silent).not.toHaveProperty('requestId');
  expect(silent).not.toHaveProperty('rawUsage');
});

test('gatherResponse hands over a response that failed, and no other event', async () => {
  const failed: StreamEvent = {
    type: 'model',
    event: { type: 'response.failed', response: { id: 'resp_1' } },
  };
  const failures: StreamEvent[] = [];
  await gatherResponse(stream([...begun('resp_1'), failed, ...streamed('resp_1', 'hello')]), failures);
  expect(failures).toEqual([failed]);
});
