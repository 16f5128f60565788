import { OpenAIResponsesModel, type AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { recordProduced, recordLost, forResponses } from '../../src/chaining/sent-input.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

/** A model with a client of its own. */
function responsesModel(): OpenAIResponsesModel {
  return new OpenAIResponsesModel(simulated().client, 'gpt-5');
}

const step = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });

const called = { ...call('c', 'f', {}), id: 'fc_1' };

const output = result('c', 'f', 'x');

describe('the input of a Responses model', () => {
  test('the input is unchanged if all of it can be sent', () => {
    const input = [user('hi'), step('rs_1'), called, output, step('rs_2'), assistant('yes', 'msg_1')];
    expect(forResponses(input, responsesModel(), true)).toBe(input);
  });

  test('the input has no reasoning without a following item', () => {
    const input = [step('rs_0'), user('hi'), step('rs_1'), step('rs_2'), output, step('rs_3')];
    expect(forResponses(input, responsesModel(), true)).toEqual([user('hi'), output]);
  });

  test('the input has no reasoning that its server did not store, nor IDs that demand it', () => {
    const model = responsesModel();
    recordProduced(model, [step('rs_1'), called], false);
    expect(forResponses([user('hi'), step('rs_1'), called, output], model, true)).toEqual([
      user('hi'),
      call('c', 'f', {}),
      output,
    ]);
    // Another server's memory is its own.
    const input = [user('hi'), step('rs_1'), called, output];
    expect(forResponses(input, responsesModel(), true)).toBe(input);
  });

  test('the input has no ID that demands removed reasoning', () => {
    const model = responsesModel();
    recordProduced(model, [step('rs_1'), assistant('one moment', 'msg_1'), called], true);
    expect(forResponses([user('hi'), assistant('one moment', 'msg_1')], model, true)).toEqual([
      user('hi'),
      assistant('one moment'),
    ]);
  });

  test('the input has no refused item, and keeps items that only lose their ID', () => {
    const model = responsesModel();
    const search: AgentInputItem = { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call' };
    recordLost(model, [step('rs_1'), search]);
    expect(forResponses([step('rs_1'), search, assistant('yes', 'msg_1')], model, true)).toEqual([
      assistant('yes'),
    ]);
  });

  test("the input has the fields that its own server added in this turn, and no other provider's", () => {
    const model = responsesModel();
    const own = { ...called, providerData: { thought_signature: 'x' } };
    recordProduced(model, [own], true);
    const foreign = { ...call('d', 'f', {}), providerData: { thought_signature: 'y' } };
    const input = [user('hi'), own, output, foreign];
    expect(forResponses(input, model, true)).toEqual([
      user('hi'),
      own,
      output,
      { ...call('d', 'f', {}), providerData: {} },
    ]);
    expect(forResponses(input, model, false)).toBe(input);
  });

  test("the input has no other provider's IDs", () => {
    const input = [user('hi'), assistant('yes', 'chatcmpl-1'), { ...called, id: 'chatcmpl-1' }, output];
    expect(forResponses(input, responsesModel(), true)).toEqual([
      user('hi'),
      assistant('yes'),
      call('c', 'f', {}),
      output,
    ]);
  });
});

test('IDs that a gateway gave to its own items go back to it', () => {
  const model = responsesModel();
  const output = [step('gw_1'), assistant('yes', 'gw_2')];
  recordProduced(model, output, true);
  expect(forResponses(output, model, true)).toBe(output);
});
