import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { ask, type RawAnswer } from '../support.ts';
import { ApiSchema, hasApiSchema } from './api-schema.ts';
import { mended } from './deviations.ts';
import { inputVariants, isEncrypted, isWritable, type InputItem } from './input-variants.ts';

const schema = hasApiSchema ? new ApiSchema() : undefined;
const variants = schema ? inputVariants(schema) : [];

const faultsOf = (
  operation: 'conversations.items.list' | 'responses.inputItems.list',
  { status, body }: RawAnswer,
): string[] =>
  status === 200 ? (schema?.bodyFaults(operation, mended({ ...body })) ?? []) : [JSON.stringify(body)];

/** The list of a conversation to which an item was written. */
async function listed({ id: _own, ...item }: InputItem): Promise<RawAnswer> {
  const simulator = createSimulator();
  const made = await ask(simulator, 'POST', '/conversations', { items: [item] });
  return made.status === 200
    ? ask(simulator, 'GET', `/conversations/${String(made.body['id'])}/items`)
    : made;
}

/** The input of a response that was sent an item, on a server that does not pair calls and outputs. */
async function inputOf(item: InputItem): Promise<RawAnswer> {
  const simulator = createSimulator({ profile: 'ignores-parent' });
  const request = { model: 'gpt-5.4', input: [item], previous_response_id: 'resp_schemavariants' };
  const answer = await ask(simulator, 'POST', '/responses', request);
  return answer.status === 200
    ? ask(simulator, 'GET', `/responses/${String(answer.body['id'])}/input_items`)
    : answer;
}

describe.skipIf(!hasApiSchema)('the input of the schema', () => {
  it('the schema has many forms of input', () => {
    expect(variants.length).toBeGreaterThan(50);
  });

  it.each(variants.filter(isWritable))(
    'a conversation lists an item in the form of the schema: %j',
    async (item) => {
      expect(faultsOf('conversations.items.list', await listed(item))).toEqual([]);
    },
  );

  it.each(variants.filter((item) => !isEncrypted(item)))(
    'the input of a response is listed in the form of the schema: %j',
    async (item) => {
      expect(faultsOf('responses.inputItems.list', await inputOf(item))).toEqual([]);
    },
  );
});
