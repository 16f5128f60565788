import { describe, expect, it } from 'vitest';
import { createSimulator, outline, textOf } from '../../../mocks/index.ts';
import { ask, clientOf, refusalOf } from '../support.ts';

const DAY = 24 * 60 * 60 * 1000;

describe('a stored response', () => {
  it('a stored response can be retrieved, without its input', async () => {
    const simulator = createSimulator();
    const created = await ask(simulator, 'POST', '/responses', { model: 'gpt-4.1', input: 'hi' });
    const { body } = await ask(simulator, 'GET', `/responses/${String(created.body['id'])}`);
    expect(body).toEqual(created.body);
    expect(body).not.toHaveProperty('input');
  });

  it.each(['retrieve', 'delete', 'cancel'] as const)(
    'an unknown response is not found by %s',
    async (method) => {
      const client = clientOf(createSimulator());
      const error = { status: 404, code: null, param: null, message: "Response with id 'resp_x' not found." };
      expect(await refusalOf(client.responses[method]('resp_x'))).toEqual(error);
      expect(await refusalOf(client.responses.inputItems.list('resp_x'))).toEqual(error);
    },
  );

  it.each(['', 'gen-123', 'conv_1'])(
    'an ID of another kind than a response is refused by its form: %j',
    async (id) => {
      const simulator = createSimulator();
      const client = clientOf(simulator);
      const refused = (param: string): object => ({
        status: 400,
        code: 'invalid_value',
        param,
        message: `Invalid '${param}': '${id}'. Expected an ID that begins with 'resp'.`,
      });
      const asked = client.responses.create({ model: 'gpt-4.1', input: 'hi', previous_response_id: id });
      expect(await refusalOf(asked)).toEqual(refused('previous_response_id'));
      expect(await refusalOf(client.responses.retrieve(`gen-${id}`))).toMatchObject({ param: 'response_id' });
    },
  );

  it('a deleted response can be neither retrieved nor continued, but its children live on', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    expect((await ask(simulator, 'DELETE', `/responses/${first.id}`)).body).toEqual({
      id: first.id,
      object: 'response',
      deleted: true,
    });
    expect(await refusalOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: first.id }),
      ),
    ).toMatchObject({ code: 'previous_response_not_found' });
    const third = await client.responses.create({
      model: 'gpt-4.1',
      input: 'three',
      previous_response_id: second.id,
    });
    expect(third.output_text).toContain('I see 5 items');
  });

  it('a stored response expires after 30 days of the clock, and its conversation does not', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id });
    simulator.advance(30 * DAY - 1000);
    expect((await client.responses.retrieve(response.id)).id).toBe(response.id);
    simulator.advance(1000);
    expect(await refusalOf(client.responses.retrieve(response.id))).toMatchObject({ status: 404 });
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: response.id }),
      ),
    ).toMatchObject({ code: 'previous_response_not_found' });
    expect(outline((await client.conversations.items.list(id)).data)).toBe('a,u');
  });

  it('encrypted reasoning of a stored response is returned only on request', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.responses.create({ model: 'gpt-5', input: 'hi' });
    expect((await client.responses.retrieve(id)).output[0]).not.toHaveProperty('encrypted_content');
    const shown = await client.responses.retrieve(id, { include: ['reasoning.encrypted_content'] });
    expect(shown.output[0]).toMatchObject({ encrypted_content: expect.stringMatching(/^gAAAA/) });
  });
});

describe('input items', () => {
  it.each([
    ['own', ['three']],
    ['inherited', ['three', 'a2', 'two', 'a1', 'one']],
  ] as const)(
    'input items of a chained response are listed newest first: %s',
    async (inputItems, expected) => {
      const client = clientOf(
        createSimulator({ inputItems, respond: (context) => `a${(context.length + 1) / 2}` }),
      );
      const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
      const second = await client.responses.create({
        model: 'gpt-4.1',
        input: 'two',
        previous_response_id: first.id,
      });
      const third = await client.responses.create({
        model: 'gpt-4.1',
        input: 'three',
        previous_response_id: second.id,
      });
      const { data } = await client.responses.inputItems.list(third.id);
      expect(data.map(textOf)).toEqual(expected);
      expect(data[0]).toMatchObject({ id: expect.stringMatching(/^msg_/), status: 'completed' });
      const ascending = await client.responses.inputItems.list(third.id, { order: 'asc' });
      expect(ascending.data).toEqual(data.toReversed());
    },
  );

  it('input items of a response in a conversation are its own, or begin with the conversation', async () => {
    for (const [inputItems, expected] of [
      ['own', 'u'],
      ['inherited', 'u,a,u'],
    ] as const) {
      const client = clientOf(createSimulator({ inputItems }));
      const { id } = await client.conversations.create();
      await client.responses.create({ model: 'gpt-4.1', input: 'one', conversation: id });
      const second = await client.responses.create({ model: 'gpt-4.1', input: 'two', conversation: id });
      const { data } = await client.responses.inputItems.list(second.id, { order: 'asc' });
      expect(outline(data)).toBe(expected);
    }
  });
});
