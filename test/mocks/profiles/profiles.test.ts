import { setupServer } from 'msw/node';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import {
  createSimulator,
  outline,
  textOf,
  type Profile,
  type ProfileName,
  type Simulator,
} from '../../../mocks/index.ts';
import { missingRoutes } from '../../../mocks/profiles/missing-routes.ts';
import { parentRefusals } from '../../../mocks/profiles/parent-refusals.ts';
import { profileNames } from '../../../mocks/profiles/profile-table.ts';
import { ask, clientOf, collect, refusalOf } from '../support.ts';

type Response = OpenAI.Responses.Response;

const hi = { model: 'gpt-4.1', input: 'hi' };

const TOOL = {
  type: 'function',
  name: 'f',
  parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
  strict: true,
} as const;

/** A first response and one that continues it, and the model's context for the second. */
async function continued(
  profile: ProfileName | Profile,
): Promise<{ simulator: Simulator; client: OpenAI; first: Response; second: Response; seen: string }> {
  const simulator = createSimulator({ profile });
  const client = clientOf(simulator);
  const first = await client.responses.create(hi);
  const second = await client.responses.create({ ...hi, previous_response_id: first.id });
  return { simulator, client, first, second, seen: seenLast(simulator) };
}

function seenLast(simulator: Simulator): string {
  return outline(simulator.log.findLast(({ context }) => context)?.context ?? []);
}

describe('a profile', () => {
  it('the default profile is api.openai.com', async () => {
    const bodies = await Promise.all([continued('openai'), continued({})]);
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create(hi);
    const second = await client.responses.create({ ...hi, previous_response_id: first.id });
    for (const body of bodies) expect([body.first, body.second]).toEqual([first, second]);
  });

  it('an unknown profile is refused, and the error lists the known ones', () => {
    const unknown = 'openrouter' as ProfileName;
    expect(() => createSimulator({ profile: unknown })).toThrow(RangeError);
    expect(() => createSimulator({ profile: unknown })).toThrow(
      /"profile" cannot be "openrouter"; there are openai, zdr, .*refuses-parent:vllm/,
    );
    for (const name of ['toString', '__proto__', 'refuses-parent:toString'])
      expect(() => createSimulator({ profile: name as ProfileName })).toThrow(RangeError);
    for (const name of profileNames) expect(() => createSimulator({ profile: name })).not.toThrow();
  });

  it('a profile can be given by its fields, and unknown fields and values are refused', async () => {
    const { second, seen } = await continued({ parent: 'ignores', echo: 'absent' });
    expect([seen, 'previous_response_id' in second]).toEqual(['u', false]);
    expect(() => createSimulator({ profile: { parents: 1 } as Profile })).toThrow(
      /no field "parents"; there are/,
    );
    expect(() => createSimulator({ profile: { refusal: 'x' } as object })).toThrow(
      /refusal "x"; there are openai/,
    );
    expect(() => createSimulator({ profile: { conversations: 'x' } as object })).toThrow(/conversations "x"/);
    expect(() => createSimulator({ profile: { echo: 'x' } as object })).toThrow(/echo "x"; there are kept/);
    expect(() => createSimulator({ profile: { readableAfter: -1 } })).toThrow(
      /readableAfter -1; there are times/,
    );
    expect(() => createSimulator({ profile: { parent: 'x' } as object })).toThrow(
      /parent "x"; there are continues/,
    );
  });

  it('a profile combines with faults, unlinking and lists of input items', async () => {
    const simulator = createSimulator({
      profile: 'ignores-parent',
      unlink: 'every-turn',
      inputItems: 'inherited',
    });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    for (const input of ['one', 'two'])
      await client.responses.create({ model: 'gpt-5.4', input, conversation: id });
    expect((await client.conversations.items.list(id)).data).toHaveLength(3);
    const first = await client.responses.create(hi);
    simulator.fault('responses.create', { name: 'rate_limit', times: 1 });
    const next = { ...hi, previous_response_id: first.id };
    expect((await refusalOf(client.responses.create(next))).status).toBe(429);
    const second = await client.responses.create(next);
    expect((await client.responses.inputItems.list(second.id)).data).toHaveLength(1);
  });

  it.each(['fetch', 'msw', 'a server'])(
    'a profile works through %s, as JSON and as a stream',
    async (way) => {
      const simulator = createSimulator({ profile: 'ignores-parent' });
      const intercepted = setupServer(...simulator.handlers);
      if (way === 'msw') intercepted.listen();
      const server = way === 'a server' ? await simulator.listen() : undefined;
      const client = new OpenAI({
        apiKey: 'sk-test',
        maxRetries: 0,
        ...(way === 'fetch' ? { fetch: simulator.fetch } : {}),
        ...(server === undefined ? {} : { baseURL: server.url }),
      });
      const first = await client.responses.create(hi);
      const next = { ...hi, previous_response_id: first.id };
      const { previous_response_id: echo } = await client.responses.create(next);
      const events = await collect(await client.responses.create({ ...next, stream: true }));
      intercepted.close();
      await server?.close();
      const echoes = events.flatMap((event) =>
        'response' in event ? [[event.type, event.response.previous_response_id]] : [],
      );
      expect(echo).toBeNull();
      expect(echoes).toEqual([
        ['response.created', null],
        ['response.in_progress', null],
        ['response.completed', null],
      ]);
      expect(simulator.log.map(({ context = [] }) => outline(context))).toEqual(['u', 'u', 'u']);
    },
  );
});

describe('zdr', () => {
  it('zdr stores nothing, and refuses every parent', async () => {
    const client = clientOf(createSimulator({ profile: 'zdr' }));
    const first = await client.responses.create({ ...hi, store: true });
    expect(first.id.slice(21, 23)).toBe('01');
    expect(first).toMatchObject({ store: false });
    expect(await refusalOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
    expect(await refusalOf(client.responses.create({ ...hi, previous_response_id: first.id }))).toEqual({
      status: 400,
      code: 'unsupported_parameter',
      param: 'previous_response_id',
      message: 'Previous response cannot be used for this organization due to Zero Data Retention.',
    });
  });

  it('zdr accepts reasoning by its encrypted content, and returns that only on request', async () => {
    const client = clientOf(createSimulator({ profile: 'zdr' }));
    const ask5 = (more: object = {}): Promise<Response> =>
      client.post('/responses', { body: { model: 'gpt-5', input: 'hi', ...more } });
    const bare = await ask5();
    expect(JSON.stringify(bare.output)).not.toContain('encrypted_content');
    expect(await refusalOf(ask5({ input: bare.output }))).toMatchObject({
      status: 404,
      message: expect.stringMatching(/^Item with id 'rs_\w+' not found\. .*Zero Data Retention/),
    });
    const sealed = await ask5({ include: ['reasoning.encrypted_content'] });
    const [step, ...answer] = sealed.output;
    expect(step).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String) });
    expect((await ask5({ input: [step, ...answer, { role: 'user', content: 'and?' }] })).status).toBe(
      'completed',
    );
  });
});

describe('ignores-parent', () => {
  it.each([
    ['ignores-parent', null],
    ['ignores-parent:absent', undefined],
    ['ignores-parent:kept', 'the ID it was sent'],
  ] as const)('%s shows the model the new input alone, and returns %s as the parent', async (name, said) => {
    const { simulator, first, second, seen } = await continued(name);
    expect(seen).toBe('u');
    expect(textOf(second.output[0] ?? {})).toBe('Answer 1: I see 1 item (1u): u "hi"');
    expect(second.previous_response_id).toBe(said === 'the ID it was sent' ? first.id : said);
    expect('previous_response_id' in first).toBe(name !== 'ignores-parent:absent');
    // A parent is not even looked at.
    const unknown = { ...hi, previous_response_id: 'resp_unknown' };
    expect((await ask(simulator, 'POST', '/responses', unknown)).status).toBe(200);
    expect(second.usage?.input_tokens).toBe(first.usage?.input_tokens);
  });

  it('ignores-parent shows the model the output of a tool without its call', async () => {
    const simulator = createSimulator({ profile: 'ignores-parent' });
    const client = clientOf(simulator);
    const call = await client.responses.create({ model: 'gpt-4.1', input: 'call f', tools: [TOOL] });
    const [made] = call.output;
    const input = [
      {
        type: 'function_call_output' as const,
        call_id: made?.type === 'function_call' ? made.call_id : '',
        output: '1',
      },
    ];
    await client.responses.create({ model: 'gpt-4.1', previous_response_id: call.id, input });
    expect(seenLast(simulator)).toBe('r');
  });
});

describe('refuses-parent', () => {
  it.each(Object.keys(parentRefusals) as (keyof typeof parentRefusals)[])(
    'refuses-parent refuses with the error of %s, before a stream begins',
    async (refusal) => {
      const simulator = createSimulator({ profile: `refuses-parent:${refusal}` });
      const client = clientOf(simulator);
      const first = await client.responses.create(hi);
      expect(first).toMatchObject({ store: true });
      expect((await client.responses.retrieve(first.id)).id).toBe(first.id);
      const expected = parentRefusals[refusal](first.id);
      for (const stream of [false, true]) {
        const response = await simulator.fetch('http://127.0.0.1/v1/responses', {
          method: 'POST',
          headers: { authorization: 'Bearer sk-test' },
          body: JSON.stringify({ ...hi, stream, previous_response_id: first.id }),
        });
        expect(response.status).toBe(expected.status);
        expect(response.headers.get('content-type')).toBe(expected.payload.contentType);
        expect(await response.text()).toBe(expected.payload.text);
      }
      expect(simulator.snapshot().responses).toHaveLength(1);
      const { status } = await refusalOf(client.responses.create({ ...hi, previous_response_id: first.id }));
      expect(status).toBe(expected.status);
    },
  );

  it('refuses-parent has the error of the API by default', async () => {
    const simulator = createSimulator({ profile: 'refuses-parent' });
    const client = clientOf(simulator);
    const first = await client.responses.create(hi);
    expect(await refusalOf(client.responses.create({ ...hi, previous_response_id: first.id }))).toMatchObject(
      {
        status: 400,
        code: 'previous_response_not_found',
      },
    );
  });
});

describe('forgets-reasoning', () => {
  const asked = { model: 'gpt-5', input: 'hi' };

  it('forgets-reasoning continues a response, but not its reasoning by ID', async () => {
    const client = clientOf(createSimulator({ profile: 'forgets-reasoning' }));
    const first = await client.responses.create(asked);
    const [step] = first.output;
    const input = [...first.output, { role: 'user', content: 'and?' }] as OpenAI.Responses.ResponseInput;
    expect(await refusalOf(client.responses.create({ ...asked, input }))).toEqual({
      status: 404,
      code: null,
      param: 'input',
      message: `Item with id '${step?.id}' not found.`,
    });
    expect((await client.responses.create({ ...asked, previous_response_id: first.id })).status).toBe(
      'completed',
    );
    const sealed = await client.responses.create({ ...asked, include: ['reasoning.encrypted_content'] });
    const whole = [...sealed.output, { role: 'user', content: 'and?' }] as OpenAI.Responses.ResponseInput;
    expect((await client.responses.create({ ...asked, input: whole })).status).toBe('completed');
  });

  it('forgets-reasoning forgets after reasoningTtl', async () => {
    const simulator = createSimulator({ profile: { reasoningTtl: 60_000 } });
    const client = clientOf(simulator);
    const first = await client.responses.create(asked);
    const input = [...first.output, { role: 'user', content: 'and?' }] as OpenAI.Responses.ResponseInput;
    expect((await client.responses.create({ ...asked, input })).status).toBe('completed');
    simulator.advance(60_000);
    expect(await refusalOf(client.responses.create({ ...asked, input }))).toMatchObject({ status: 404 });
  });
});

describe('slow-to-read', () => {
  it('slow-to-read can neither retrieve nor continue a response for 33 seconds', async () => {
    const simulator = createSimulator({ profile: 'slow-to-read' });
    const client = clientOf(simulator);
    const first = await client.responses.create(hi);
    const next = { ...hi, previous_response_id: first.id };
    simulator.advance(32_000);
    expect(await refusalOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
    expect(await refusalOf(client.responses.create(next))).toMatchObject({
      code: 'previous_response_not_found',
    });
    simulator.advance(1000);
    expect((await client.responses.retrieve(first.id)).id).toBe(first.id);
    expect((await client.responses.create(next)).previous_response_id).toBe(first.id);
  });

  it('slow-to-read takes as long as readableAfter', async () => {
    const simulator = createSimulator({ profile: { readableAfter: 5000 } });
    const client = clientOf(simulator);
    const { id } = await client.responses.create(hi);
    expect((await refusalOf(client.responses.retrieve(id))).status).toBe(404);
    simulator.advance(5000);
    expect((await client.responses.retrieve(id)).id).toBe(id);
  });
});

describe('no-conversations', () => {
  it.each(Object.keys(missingRoutes) as (keyof typeof missingRoutes)[])(
    'no-conversations answers like %s for every route of conversations, and serves responses',
    async (words) => {
      const simulator = createSimulator({ profile: `no-conversations:${words}` });
      const client = clientOf(simulator);
      const calls = [
        () => client.conversations.create(),
        () => client.conversations.retrieve('conv_1'),
        () => client.conversations.items.list('conv_1'),
        () => client.conversations.items.create('conv_1', { items: [] }),
      ];
      for (const call of calls) {
        const { status } = await refusalOf(call());
        expect(status).toBe(missingRoutes[words]({ method: 'POST', path: '/conversations' }).status);
      }
      expect(simulator.log.map(({ operation }) => operation)).toEqual([
        'conversations.create',
        'conversations.retrieve',
        'conversations.items.list',
        'conversations.items.create',
      ]);
      const first = await client.responses.create(hi);
      expect((await client.responses.create({ ...hi, previous_response_id: first.id })).status).toBe(
        'completed',
      );
    },
  );
});

describe('rewrites-ids', () => {
  it('rewrites-ids gives the client other response IDs, and the inner one as the parent', async () => {
    const { simulator, client, first, second, seen } = await continued('rewrites-ids');
    expect(seen).toBe('u,a,u');
    const inner = simulator.snapshot().responses.map(({ id }) => id);
    expect(inner).not.toContain(first.id);
    expect(second.previous_response_id).toBe(inner[0]);
    expect((await client.responses.retrieve(second.id)).id).toBe(second.id);
    expect((await client.responses.inputItems.list(second.id)).data).toHaveLength(1);
    const events = await collect(
      await client.responses.create({ ...hi, previous_response_id: second.id, stream: true }),
    );
    const ids = new Set(events.flatMap((event) => ('response' in event ? [event.response.id] : [])));
    expect(ids.size).toBe(1);
    expect(simulator.log.at(-1)).toMatchObject({ responseId: [...ids][0] });
    expect(seenLast(simulator)).toBe('u,a,u,a,u');
    await client.responses.delete(second.id);
    expect((await refusalOf(client.responses.retrieve(second.id))).status).toBe(404);
  });
});

describe('drops-tool-calls', () => {
  it('drops-tool-calls continues the messages of the parent without its tools, and reports no error', async () => {
    const simulator = createSimulator({ profile: 'drops-tool-calls' });
    const client = clientOf(simulator);
    const call = await client.responses.create({ model: 'gpt-4.1', input: 'call f', tools: [TOOL] });
    const [made] = call.output;
    const callId = made?.type === 'function_call' ? made.call_id : '';
    const answer = await client.responses.create({
      model: 'gpt-4.1',
      previous_response_id: call.id,
      input: [{ type: 'function_call_output', call_id: callId, output: 'sunny' }],
    });
    expect(seenLast(simulator)).toBe('u,r');
    const next = await client.responses.create({ ...hi, previous_response_id: answer.id });
    expect(seenLast(simulator)).toBe('u,a,u');
    expect(next.previous_response_id).toBe(answer.id);
  });
});

describe('the log', () => {
  it('the log names the response of each request to the model', async () => {
    const { simulator, first, second } = await continued('openai');
    expect(simulator.log.map(({ responseId }) => responseId)).toEqual([first.id, second.id]);
    await clientOf(simulator).conversations.create();
    expect(simulator.log.at(-1)?.responseId).toBeUndefined();
  });
});
