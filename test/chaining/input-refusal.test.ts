import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { inputRefusal, mendInput, tokenLimit, type InputRefusal } from '../../src/chaining/input-refusal.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

const stored: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };

const encrypted: AgentInputItem = {
  type: 'reasoning',
  id: 'rs_2',
  content: [],
  providerData: { encrypted_content: 'gAAAA' },
};

const search: AgentInputItem = {
  type: 'hosted_tool_call',
  id: 'ws_1',
  name: 'web_search_call',
  status: 'completed',
  providerData: { type: 'web_search_call' },
};

const refusal = (cause: InputRefusal['cause'], id?: string, field?: string): InputRefusal => ({
  cause,
  id,
  field,
});

const error = (
  status: number | undefined,
  message: string,
  code: string | null = null,
  param = 'input',
): object => ({
  status,
  message: `${status} ${message}`,
  code,
  param,
  error: { message, code, param, type: 'invalid_request_error' },
});

describe('a refusal of the input', () => {
  test.each<[object, InputRefusal['cause'], string | undefined]>([
    [error(404, "Item with id 'rs_1' not found. Items are not persisted."), 'reasoning_not_found', 'rs_1'],
    [error(404, "Item with id 'ws_1' not found."), 'reasoning_not_found', 'ws_1'],
    [
      error(400, "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
      'reasoning_alone',
      'rs_1',
    ],
    [
      error(
        400,
        "Item 'msg_1' of type 'message' was provided without its required 'reasoning' item: 'rs_1'.",
      ),
      'reasoning_missing',
      'msg_1',
    ],
    [
      error(400, "Item 'fc_1' was provided without its required preceding item of type 'reasoning'."),
      'reasoning_missing',
      'fc_1',
    ],
    [error(400, 'The required reasoning item is absent'), 'reasoning_missing', undefined],
    [
      error(400, 'The encrypted content gAAA...== could not be verified.', 'invalid_encrypted_content'),
      'encrypted_content',
      undefined,
    ],
    [error(400, 'Encrypted content could not be decrypted or parsed'), 'encrypted_content', undefined],
    [error(422, 'Failed to decrypt encrypted_content of a reasoning item'), 'encrypted_content', undefined],
    [{ type: 'error', error: { message: "Item with id 'rs_1' not found." } }, 'reasoning_not_found', 'rs_1'],
    [error(400, 'Something is wrong', 'invalid_encrypted_content'), 'encrypted_content', undefined],
    [error(404, "Item with id 'rs_0a1b' not found."), 'reasoning_not_found', 'rs_0a1b'],
    [error(404, 'Item with id rs_1 was not found.'), 'reasoning_not_found', undefined],
    [error(404, 'The reasoning item 3 was not found.'), 'reasoning_not_found', undefined],
    [error(400, "The required 'reasoning' item is absent"), 'reasoning_missing', undefined],
    [error(400, 'The encrypted content of item 3 is invalid'), 'encrypted_content', undefined],
    [error(400, 'The encrypted_content was not verified'), 'encrypted_content', undefined],
    [error(400, 'The encrypted content must not be decrypted'), 'encrypted_content', undefined],
    [error(400, 'We could not verify the encrypted content'), 'encrypted_content', undefined],
  ])('a refusal of the input is known by its words: %j', (evidence, cause, id) => {
    expect(inputRefusal(evidence)).toMatchObject({ cause, id });
  });

  test.each<[object, string | undefined]>([
    [error(400, "Unknown parameter: 'input[1].model'.", 'unknown_parameter', 'input[1].model'), 'model'],
    [
      error(
        400,
        "Unknown parameter: 'input[2].content[0].refusal'.",
        'unknown_parameter',
        'input[2].content[0].refusal',
      ),
      'refusal',
    ],
    [error(422, 'Extra inputs are not permitted: input[0].response_id'), 'response_id'],
    [error(400, 'Something is wrong in the input', 'unknown_parameter', 'items[3].note'), 'note'],
    [error(400, 'Unknown field in item[3].note'), 'note'],
    [error(400, 'Additional properties in items[12].note'), 'note'],
    [error(400, 'Unknown field in input[0].content[12].note'), 'note'],
    [error(400, 'Unsupported parameters of item 3'), undefined],
  ])('names the unknown field: %j', (evidence, field) => {
    expect(inputRefusal(evidence)).toMatchObject({ cause: 'unknown_field', field });
  });

  test.each([
    error(400, "Unknown parameter: 'temperature'.", 'unknown_parameter', 'temperature'),
    error(404, "Previous response with id 'resp_1' not found."),
    error(404, "Model 'o-reasoning' not found"),
    error(500, "Item with id 'rs_1' not found."),
    error(429, "Item with id 'rs_1' not found."),
    error(400, 'No tool output found for function call call_1.'),
    new Error('aborted'),
  ])('a refusal of the input is none of these: %j', (evidence) => {
    expect(inputRefusal(evidence)).toBeUndefined();
  });
});

describe('a refused input is mended', () => {
  test('a refused input is sent without stored reasoning and the IDs that demand it', () => {
    const answer = assistant('yes', 'msg_1');
    const input = [user('hi'), stored, search, answer, user('thanks'), encrypted, assistant('bye')];
    expect(mendInput(input, refusal('reasoning_not_found', 'rs_1'))).toEqual({
      items: [user('hi'), assistant('yes'), user('thanks'), encrypted, assistant('bye')],
      leftOut: [stored, search],
      changed: [],
    });
  });

  test('a refused input is sent without encrypted reasoning if that is refused', () => {
    const input = [user('hi'), encrypted, assistant('yes')];
    for (const one of [refusal('encrypted_content'), refusal('reasoning_alone', 'rs_2')])
      expect(mendInput(input, one)).toMatchObject({
        items: [user('hi'), assistant('yes')],
        leftOut: [encrypted],
      });
  });

  test('a refused input is sent without IDs if the reasoning was left out before', () => {
    const answer = assistant('yes', 'msg_1');
    const input = [user('hi'), answer, search];
    expect(mendInput(input, refusal('reasoning_missing', 'msg_1'))).toEqual({
      items: [user('hi'), assistant('yes'), search],
      leftOut: [],
      changed: [answer],
    });
    expect(mendInput(input, refusal('reasoning_missing', 'ws_1'))?.leftOut).toEqual([search]);
  });

  test('a refused input is sent without the fields of another provider', () => {
    const item: AgentInputItem = { ...call('c', 'f', {}), id: 'fc_1', providerData: { note: 1 } };
    const output = result('c', 'f', 'x');
    expect(mendInput([item, output], refusal('unknown_field', undefined, 'note'))).toEqual({
      items: [{ ...call('c', 'f', {}), id: 'fc_1', providerData: {} }, output],
      leftOut: [],
      changed: [item],
    });
  });

  test('a refused input keeps encrypted reasoning without an ID if the refusal names no item', () => {
    const { id: _id, ...anonymous } = { ...encrypted, id: undefined };
    const input = [stored, assistant('yes'), user('and?'), anonymous, assistant('no')];
    expect(mendInput(input, refusal('reasoning_alone'))).toEqual({
      items: [assistant('yes'), user('and?'), anonymous, assistant('no')],
      leftOut: [stored],
      changed: [],
    });
  });

  test('a refused input has changed in the named item, and in all of them if reasoning is missing', () => {
    const answer = assistant('yes', 'msg_1');
    const called = { ...call('c1', 'look', {}), id: 'fc_1' };
    const input = [user('hi'), answer, called];
    const items = [user('hi'), assistant('yes'), call('c1', 'look', {})];
    expect(mendInput(input, refusal('reasoning_not_found', 'msg_1'))).toEqual({
      items,
      leftOut: [],
      changed: [answer],
    });
    expect(mendInput(input, refusal('reasoning_missing', 'msg_1'))).toEqual({
      items,
      leftOut: [],
      changed: [answer, called],
    });
  });

  test('a refused input is sent without the named field in any of its forms', () => {
    const noted: AgentInputItem = { type: 'unknown', providerData: { someNote: 1, other: 2 } };
    const snake: AgentInputItem = { type: 'unknown', providerData: { some_note: 1 } };
    const plain: AgentInputItem = { type: 'unknown', providerData: { other: 2 } };
    const mended = mendInput([noted, snake, plain], refusal('unknown_field', undefined, 'some_note'));
    expect(mended).toEqual({
      items: [plain, { type: 'unknown', providerData: {} }, plain],
      leftOut: [],
      changed: [noted, snake],
    });
    expect(mended?.items[2]).toBe(plain);
    expect(mendInput([noted, user('hi')], refusal('unknown_field'))).toBeUndefined();
    expect(mendInput([user('hi')], refusal('unknown_field', undefined, 'some_note'))).toBeUndefined();
  });

  test('a refused input without reasoning or foreign fields is not repeated', () => {
    expect(mendInput([user('hi'), assistant('yes')], refusal('reasoning_not_found', 'rs_1'))).toBeUndefined();
    expect(mendInput([user('hi')], refusal('unknown_field', undefined, 'content'))).toBeUndefined();
  });
});

describe('the tokens that fit a model', () => {
  test.each([
    ["This model's maximum context length is 128000 tokens. However, you requested 130000.", 128_000],
    ["This model's maximum prompt length is 131072 but the request contains 140000 tokens.", 131_072],
    ['prompt is too long: 210,000 tokens > 200,000 maximum', 200_000],
    ['input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000', 200_000],
    ['Your input exceeds the context window of this model. Please adjust your input.', undefined],
  ])('the refusal "%s" names %s', (message, limit) => {
    expect(tokenLimit({ status: 400, message })).toBe(limit);
  });
});
