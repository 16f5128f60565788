import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator, outline } from '../../../mocks/index.ts';
import { ask, clientOf, collect, rawRefusal, refusalOf } from '../support.ts';

async function begun(
  client: OpenAI,
): Promise<{ id: string; stream: AsyncIterator<OpenAI.Responses.ResponseStreamEvent> }> {
  const stream = (
    await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true, stream: true })
  )[Symbol.asyncIterator]();
  const first = await stream.next();
  if (first.done || first.value.type !== 'response.created') throw new Error('The stream did not begin');
  return { id: first.value.response.id, stream };
}

describe('a background response', () => {
  it('a background response is queued, in progress and completed, a stage at each read', async () => {
    const client = clientOf(createSimulator());
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    expect(response).toMatchObject({ status: 'queued', background: true, output: [], usage: null });
    const looks = [];
    for (let look = 0; look < 3; look += 1) looks.push(await client.responses.retrieve(response.id));
    expect(looks.map(({ status }) => status)).toEqual(['in_progress', 'completed', 'completed']);
    expect(looks[2]?.output_text).toBe('Answer 1: I see 1 item (1u): u "hi"');
  });

  it('a background response can be continued and is written to its conversation once it is completed', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create();
    const run = await client.responses.create({
      model: 'gpt-4.1',
      input: 'hi',
      background: true,
      conversation: id,
    });
    const next = (): Promise<OpenAI.Responses.Response> =>
      client.responses.create({ model: 'gpt-4.1', input: 'and?', previous_response_id: run.id });
    expect(await refusalOf(next())).toMatchObject({ code: 'previous_response_not_found' });
    expect((await client.conversations.items.list(id)).data).toEqual([]);
    await client.responses.retrieve(run.id);
    await client.responses.retrieve(run.id);
    expect(outline((await client.conversations.items.list(id)).data)).toBe('a,u');
    expect((await next()).output_text).toContain('I see 3 items');
  });

  it('a running background response can be cancelled, repeatedly, and then has no output', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create();
    const run = await client.responses.create({
      model: 'gpt-4.1',
      input: 'hi',
      background: true,
      conversation: id,
    });
    expect(await client.responses.cancel(run.id)).toMatchObject({ status: 'cancelled', output: [] });
    expect(await client.responses.cancel(run.id)).toMatchObject({ status: 'cancelled' });
    expect(await client.responses.retrieve(run.id)).toMatchObject({ status: 'cancelled' });
    expect((await client.conversations.items.list(id)).data).toEqual([]);
    await client.responses.create({ model: 'gpt-4.1', input: 'unlocked', conversation: id });
  });

  it('a cancellation after completion has no effect', async () => {
    const client = clientOf(createSimulator());
    const run = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    await client.responses.retrieve(run.id);
    await client.responses.retrieve(run.id);
    expect(await client.responses.cancel(run.id)).toMatchObject({ status: 'completed' });
  });

  it('a synchronous response cannot be cancelled', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    expect(await refusalOf(client.responses.cancel(id))).toEqual({
      status: 400,
      code: null,
      param: null,
      message: 'Cannot cancel a synchronous response.',
    });
  });

  it('a background response that is not stored can be retrieved, but not continued', async () => {
    const client = clientOf(createSimulator({ profile: { stores: false } }));
    const run = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    await client.responses.retrieve(run.id);
    expect(await client.responses.retrieve(run.id)).toMatchObject({ status: 'completed', store: false });
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: run.id }),
      ),
    ).toMatchObject({ code: 'previous_response_not_found' });
  });

  it('a background response has the status of a failed model', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.fault('responses.create', {
      name: 'failed_response',
      code: 'rate_limit_exceeded',
      message: 'Too much',
    });
    const run = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    await client.responses.retrieve(run.id);
    expect(await client.responses.retrieve(run.id)).toMatchObject({
      status: 'failed',
      error: { code: 'rate_limit_exceeded', message: 'Too much' },
    });
  });

  it('a stream of a background response begins with response.queued', async () => {
    const client = clientOf(createSimulator());
    const { stream } = await begun(client);
    expect((await stream.next()).value).toMatchObject({ type: 'response.queued', sequence_number: 1 });
  });

  it('a background response goes on without its stream, which can be resumed at any event', async () => {
    const client = clientOf(createSimulator());
    const { id, stream } = await begun(client);
    await stream.next();
    await stream.return?.();
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'completed' });
    const rest = await collect(await client.responses.retrieve(id, { stream: true, starting_after: 1 }));
    expect(rest[0]).toMatchObject({ type: 'response.in_progress', sequence_number: 2 });
    expect(rest.at(-1)).toMatchObject({ type: 'response.completed', response: { id, status: 'completed' } });
    expect(rest.map((event) => event.sequence_number)).toEqual(rest.map((_, index) => index + 2));
  });

  it('a background response can be streamed and retrieved at the same time', async () => {
    const client = clientOf(createSimulator());
    const { id, stream } = await begun(client);
    await client.responses.retrieve(id);
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'completed' });
    const rest = await collect({ [Symbol.asyncIterator]: () => stream });
    expect(rest.at(-1)).toMatchObject({ type: 'response.completed' });
  });

  it('a background response is completed by reading its replayed stream to the end', async () => {
    const client = clientOf(createSimulator());
    const { id } = await begun(client);
    const replay = await collect(await client.responses.retrieve(id, { stream: true }));
    expect(replay[0]).toMatchObject({ sequence_number: 0 });
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'completed' });
  });

  it('a stream of a cancelled background response ends without an event', async () => {
    const client = clientOf(createSimulator());
    const { id, stream } = await begun(client);
    await client.responses.cancel(id);
    expect((await stream.next()).done).toBe(true);
  });

  it('a synchronous response cannot be streamed again', async () => {
    const simulator = createSimulator();
    const { id } = await clientOf(simulator).responses.create({ model: 'gpt-4.1', input: 'hi' });
    expect(await rawRefusal(simulator, 'GET', `/responses/${id}?stream=true`)).toMatchObject({
      status: 400,
      param: 'stream',
    });
    const run = await ask(simulator, 'POST', '/responses', {
      model: 'gpt-4.1',
      input: 'hi',
      background: true,
    });
    expect(
      await rawRefusal(simulator, 'GET', `/responses/${String(run.body['id'])}?stream=true`),
    ).toMatchObject({
      status: 400,
    });
  });

  it('a running background response can be deleted', async () => {
    const client = clientOf(createSimulator());
    const run = await client.responses.create({ model: 'gpt-4.1', input: 'hi', background: true });
    await client.responses.delete(run.id);
    expect(await refusalOf(client.responses.retrieve(run.id))).toMatchObject({ status: 404 });
  });
});
