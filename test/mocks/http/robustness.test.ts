import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { ask } from '../support.ts';

const WORDS = [
  'message',
  'user',
  'assistant',
  'function_call',
  'function_call_output',
  'reasoning',
  'item_reference',
  'compaction',
  'gpt-4.1',
  'gpt-5.4',
  'o3',
  'call f',
  'refuse',
  'completed',
  'input_text',
  'output_text',
  'constructor',
  '__proto__',
  'msg_x',
  'rs_x',
  'conv_x',
  'resp_x',
  'auto',
  'required',
  'function',
  'json_schema',
];

const KEYS = [
  'model',
  'input',
  'items',
  'metadata',
  'previous_response_id',
  'conversation',
  'store',
  'stream',
  'background',
  'tools',
  'tool_choice',
  'text',
  'format',
  'schema',
  'reasoning',
  'effort',
  'summary',
  'type',
  'role',
  'content',
  'id',
  'call_id',
  'name',
  'arguments',
  'output',
  'encrypted_content',
  'status',
  'phase',
  'truncation',
  'max_output_tokens',
  'constructor',
  '__proto__',
  'toString',
];

const PATHS = [
  '/conversations',
  '/conversations/conv_x',
  '/conversations/conv_x/items',
  '/responses',
  '/responses/compact',
  '/responses/input_tokens',
  '/responses/resp_x/cancel',
];

const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...WORDS),
    fc.constantFrom(null, true, false, 0, -1, 16, 1.5, ''),
    fc.string(),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('json'), { maxKeys: 6 }),
  ),
})).json;

const body = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 8 });
const likely = fc.record({
  model: fc.constantFrom('gpt-4.1', 'gpt-5.4', 'constructor'),
  input: fc.oneof(
    fc.string(),
    fc.array(fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 5 }), { maxLength: 4 }),
  ),
});

/** The shape of an API error. */
const refusal = {
  error: {
    message: expect.any(String),
    type: 'invalid_request_error',
    param: expect.toSatisfy(isTextOrNull),
    code: expect.toSatisfy(isTextOrNull),
  },
};

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

describe('a simulator', () => {
  it('the simulator answers any request in the shape of the API, and stores no part of a refused one', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...PATHS),
      fc.oneof(body, likely, fc.anything()),
      async (path, sent) => {
        const simulator = createSimulator();
        const response = await simulator.fetch(`https://api.openai.com/v1${path}`, {
          method: 'POST',
          headers: { authorization: 'Bearer sk-test' },
          body: JSON.stringify(sent) ?? '',
        });
        const answer = await response.text();
        expect([200, 400, 404]).toContain(response.status);
        if (response.status === 200) return;
        expect(JSON.parse(answer)).toEqual(refusal);
        expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [], items: [] });
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 600 });
  });

  it('the simulator answers any path and method', async () => {
    const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'constructor');
    const property = fc.asyncProperty(fc.webPath(), methods, async (path, method) => {
      const { status } = await ask(createSimulator(), method, path.startsWith('/') ? path : `/${path}`);
      expect([200, 400, 404, 405]).toContain(status);
    });
    await fc.assert(property, { seed: 1, numRuns: 300 });
  });
});
