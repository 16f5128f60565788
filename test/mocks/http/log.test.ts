import { describe, expect, it } from 'vitest';
import { createSimulator, outline, type LogEntry } from '../../../mocks/index.ts';
import { ask, clientOf, collect } from '../support.ts';

describe('the log', () => {
  it("the log has the route, the size and the model's context of each request", async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'before' }] });
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'now', conversation: id });
    await client.conversations.items.list(id, { limit: 5 });
    expect(simulator.log).toMatchObject([
      {
        index: 0,
        method: 'POST',
        path: '/conversations',
        operation: 'conversations.create',
        status: 200,
        tenant: 'tenant-1',
      },
      { index: 1, method: 'POST', path: '/responses', operation: 'responses.create', model: 'gpt-4.1' },
      { index: 2, method: 'GET', path: `/conversations/${id}/items`, query: '?limit=5', body: undefined },
    ]);
    const [, create, list] = simulator.log;
    expect(create?.body).toEqual({ model: 'gpt-4.1', input: 'now', conversation: id });
    expect(create?.requestBytes).toBe(JSON.stringify(create?.body).length);
    expect(outline(create?.context ?? [])).toBe('u,u');
    expect(list?.context).toBeUndefined();
    expect(create?.responseBytes).toBeGreaterThan(JSON.stringify(response.output).length);
    expect((list?.at ?? 0) - (create?.at ?? 0)).toBe(100);
  });

  it('a listener gets each finished request until it leaves', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const heard: LogEntry[] = [];
    const leave = simulator.onRequest((entry) => heard.push(entry));
    const stream = await client.responses.create({ model: 'gpt-4.1', input: 'hi', stream: true });
    expect(heard).toEqual([]);
    expect(simulator.log).toMatchObject([{ isFinished: false, status: 200 }]);
    await collect(stream);
    expect(heard).toMatchObject([{ isFinished: true, operation: 'responses.create' }]);
    leave();
    await client.conversations.create();
    expect(heard).toHaveLength(1);
  });

  it('the log has refused requests, unknown routes and their errors, but no key', async () => {
    const simulator = createSimulator();
    await ask(simulator, 'GET', '/files');
    await ask(simulator, 'POST', '/responses', '{', { authorization: 'Bearer sk-very-secret' });
    await ask(simulator, 'POST', '/responses', { model: 'x' }, {});
    expect(simulator.log).toMatchObject([
      { operation: undefined, status: 404, error: 'Invalid URL (GET /v1/files)' },
      { operation: 'responses.create', status: 400, error: 'invalid_json', requestBytes: 1 },
      { status: 401, tenant: undefined },
    ]);
    expect(JSON.stringify([simulator.log, simulator.snapshot()])).not.toContain('secret');
  });
});
