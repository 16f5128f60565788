import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSimulator, type Simulator } from '../../../mocks/index.ts';
import { FULL } from '../../support/runs.ts';

let simulator: Simulator;
let url: URL;
let close: () => Promise<void>;

beforeAll(async () => {
  simulator = createSimulator({ unlink: 'none' });
  const server = await simulator.listen();
  url = new URL(server.url);
  close = () => server.close();
});
afterAll(() => close());

/** Sends bytes as they are and reads the answer, until the server closes the connection. */
function send(bytes: Uint8Array | string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(url.port), url.hostname, () => socket.end(bytes));
    socket.setTimeout(60_000, () => socket.destroy());
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

async function expectAlive(): Promise<void> {
  const answer = await fetch(`${url.href}/conversations`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-test' },
  });
  expect(answer.status).toBe(200);
}

const line = fc.constantFrom(
  'POST /v1/responses',
  'GET /v1/conversations',
  'BREW /',
  'POST',
  '',
  'GET http://[::1',
  'PRI *',
);
const header = fc.oneof(
  fc.constantFrom(
    'content-length: 5',
    'content-length: -1',
    'content-length: 999999999999',
    'transfer-encoding: chunked',
    'content-type: application/json; charset=utf-16',
    'content-encoding: gzip',
    'expect: 100-continue',
    'upgrade: websocket\r\nconnection: upgrade',
    'authorization: Bearer \u0000',
    `x: ${'y'.repeat(20_000)}`,
    'no colon',
  ),
  fc.string(),
);

it('the server answers the next request after any bytes', async () => {
  const request = fc
    .tuple(line, fc.array(header, { maxLength: 4 }), fc.oneof(fc.json(), fc.string()))
    .map(([first, headers, body]) =>
      [`${first} HTTP/1.1`, 'host: x', 'authorization: Bearer sk-test', ...headers, '', body].join('\r\n'),
    );
  const garbage = fc.oneof({ weight: 3, arbitrary: request }, fc.uint8Array({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(garbage, async (bytes) => {
      const answer = await send(bytes);
      expect(answer === '' || /^HTTP\/1\.1 [1-5]\d\d /.test(answer)).toBe(true);
      expect(answer).not.toMatch(/\n\s+at .+:\d+:\d+/);
      await expectAlive();
    }),
    { seed: 1, numRuns: FULL ? 2000 : 80 },
  );
});

it.each([
  '%',
  '%zz',
  '%00',
  '%2e%2e',
  '..%2f..',
  '__proto__',
  'constructor',
  'x'.repeat(8000),
  '%F0%9F%98%80',
])('the server refuses any unknown ID: %s', async (id) => {
  for (const path of [
    `/conversations/${id}`,
    `/conversations/${id}/items`,
    `/responses/${id}`,
    `/responses/${id}/input_items`,
  ]) {
    const answer = await fetch(`${url.href}${path}`, { headers: { authorization: 'Bearer sk-test' } });
    expect([400, 404]).toContain(answer.status);
    expect(await answer.json()).toMatchObject({ error: { message: expect.any(String) } });
  }
});
