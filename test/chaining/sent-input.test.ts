import {
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  type AgentInputItem,
  type Model,
} from '@openai/agents';
import { describe, expect, test } from 'vitest';
import type { InputRefusal } from '../../src/chaining/input-refusal.ts';
import { forResponses, recordLost, recordProduced, SentInput } from '../../src/chaining/sent-input.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { ScriptedModel } from './scripted-model.ts';
import { modelRequest } from './chained-calls.ts';

const responsesModel = (): OpenAIResponsesModel => new OpenAIResponsesModel(simulated().client, 'gpt-5');

const step = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });

const encrypted = (id: string | undefined, content = 'gAAAA'): AgentInputItem => ({
  type: 'reasoning',
  ...(id === undefined ? {} : { id }),
  content: [],
  providerData: { encrypted_content: content },
});

const search: AgentInputItem = { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call' };

/** A call with a field of another provider. */
const foreign: AgentInputItem = { ...call('c1', 'look', {}), providerData: { thought_signature: 'x' } };
const own: AgentInputItem = { ...call('c1', 'look', {}), providerData: {} };

const refusal = (cause: InputRefusal['cause'], id?: string): InputRefusal => ({
  cause,
  id,
  field: undefined,
});

const ofSession = (model: Model = responsesModel()): SentInput =>
  new SentInput(model, { isOfSession: true, isStock: false });

describe('a sent input', () => {
  test('a sent input is prepared for the Responses API unless its session behaves like the stock session', () => {
    const { client } = simulated();
    const chat = new OpenAIChatCompletionsModel(client, 'gpt-4.1');
    expect(ofSession().isPrepared).toBe(true);
    expect(ofSession(chat).isPrepared).toBe(false);
    expect(new SentInput(responsesModel(), { isOfSession: true, isStock: true }).isPrepared).toBe(false);
    const request = modelRequest([user('hi'), foreign]);
    expect(ofSession(chat).of(request)).toBe(request);
    expect(new SentInput(responsesModel(), { isOfSession: true, isStock: true }).of(request)).toBe(request);
  });

  test('a sent input is the very request if nothing changes', () => {
    for (const request of [modelRequest('hi'), modelRequest([user('hi')])])
      expect(ofSession().of(request)).toBe(request);
  });

  test('a sent input has no fields of other providers if it belongs to a session', () => {
    const request = modelRequest([user('hi'), foreign]);
    expect(ofSession().of(request)).toEqual({ ...request, input: [user('hi'), own] });
    expect(new SentInput(responsesModel(), { isOfSession: false, isStock: false }).of(request)).toBe(request);
    expect(request.input).toEqual([user('hi'), foreign]);
  });

  test('a sent input has no refused parts in this and in later requests', () => {
    const input = ofSession();
    const items = [user('hi'), step('rs_1'), assistant('yes', 'msg_1')];
    expect(input.lacksContext).toBe(false);
    expect(input.leaveOut(refusal('reasoning_not_found', 'rs_1'), modelRequest(items))).toEqual({
      request: modelRequest([user('hi'), assistant('yes')]),
      concerned: [step('rs_1')],
    });
    expect(input.of(modelRequest([...items, user('thanks')]))).toEqual(
      modelRequest([user('hi'), assistant('yes'), user('thanks')]),
    );
    // The model saw all messages.
    expect(input.lacksContext).toBe(false);
  });

  test('a sent input lacks context if more than reasoning was left out', () => {
    const input = ofSession();
    const { request, concerned } = input.leaveOut(
      refusal('reasoning_not_found', 'ws_1'),
      modelRequest([user('hi'), search, assistant('yes')]),
    );
    expect([request.input, concerned]).toEqual([[user('hi'), assistant('yes')], [search]]);
    expect(input.lacksContext).toBe(true);
  });

  test('a sent input names the changed items beside the removed ones', () => {
    const answer = assistant('yes', 'msg_1');
    const { concerned } = ofSession().leaveOut(
      refusal('reasoning_missing', 'msg_1'),
      modelRequest([step('rs_1'), answer]),
    );
    expect(concerned).toEqual([step('rs_1'), answer]);
  });

  test('a sent input stays unchanged if a refusal concerns none of its items', () => {
    for (const request of [modelRequest('hi'), modelRequest([user('hi')])])
      expect(ofSession().leaveOut(refusal('reasoning_not_found', 'rs_1'), request)).toEqual({
        request,
        concerned: [],
      });
  });

  test('a sent input learns the keys of refused items, for later requests of its client', () => {
    const model = responsesModel();
    const input = ofSession(model);
    const hidden = encrypted(undefined);
    const items = [hidden, assistant('one'), user('hi'), encrypted('rs_1', 'gBBBB'), assistant('yes')];
    expect(input.learn([], true)).toEqual([]);
    input.leaveOut(refusal('encrypted_content'), modelRequest(items));
    expect(input.learn([], true)).toEqual([expect.any(String), 'rs_1']);
    expect(forResponses(items, model, true)).toEqual([assistant('one'), user('hi'), assistant('yes')]);
    expect(forResponses(items, responsesModel(), true)).toBe(items);
  });

  test('a sent input learns nothing of reasoning that has no key', () => {
    const input = ofSession();
    const anonymous: AgentInputItem = { type: 'reasoning', content: [] };
    input.leaveOut(refusal('reasoning_alone'), modelRequest([anonymous, assistant('yes')]));
    expect(input.learn([], true)).toEqual([]);
  });

  test('a sent input learns the fields that its server produced', () => {
    const model = responsesModel();
    const produced: AgentInputItem = { ...foreign, id: 'fc_1' };
    const request = modelRequest([user('hi'), produced]);
    ofSession(model).learn([produced], true);
    expect(ofSession(model).of(request)).toBe(request);
  });

  test('a sent input learns nothing from a model of another API', () => {
    const { client } = simulated();
    const input = ofSession(new OpenAIChatCompletionsModel(client, 'gpt-4.1'));
    const items = [step('rs_1'), assistant('yes', 'msg_1')];
    input.leaveOut(refusal('reasoning_not_found', 'rs_1'), modelRequest(items));
    expect(input.learn(items, false)).toEqual([]);
    expect(forResponses(items, new OpenAIResponsesModel(client, 'gpt-5'), true)).toBe(items);
  });
});

describe('an input for the Responses API', () => {
  test('an input for the Responses API has no reasoning of another provider', () => {
    const other = step('thought-1');
    const model = responsesModel();
    const items = [user('hi'), other, assistant('yes')];
    expect(forResponses(items, model, true)).toEqual([user('hi'), assistant('yes')]);
    recordProduced(model, [other], true);
    expect(forResponses(items, model, true)).toBe(items);
  });

  test('an input for the Responses API keeps encrypted reasoning that no server stored', () => {
    const model = responsesModel();
    const output = [encrypted('rs_1'), assistant('yes', 'msg_1')];
    recordProduced(model, output, false);
    expect(forResponses(output, model, true)).toBe(output);
    const lost = [step('rs_2'), assistant('yes', 'msg_2')];
    recordProduced(model, lost, false);
    expect(forResponses(lost, model, true)).toEqual([assistant('yes')]);
    const stored = [step('rs_3'), assistant('yes', 'msg_3')];
    recordProduced(model, stored, true);
    expect(forResponses(stored, model, true)).toBe(stored);
  });

  test('an input for the Responses API loses nothing but reasoning that its server did not store', () => {
    const model = responsesModel();
    const output = [search, assistant('one', 'msg_1'), call('c1', 'look', {})];
    recordProduced(model, output, false);
    expect(forResponses(output, model, true)).toBe(output);
  });

  test('an input for the Responses API keeps the IDs that require the first reasoning of their output', () => {
    const model = responsesModel();
    const output = [step('rs_1'), assistant('one', 'msg_1'), step('rs_2'), assistant('two', 'msg_2')];
    recordProduced(model, output, true);
    expect(forResponses(output, model, true)).toBe(output);
    const [first, one, second, two] = output as [
      AgentInputItem,
      AgentInputItem,
      AgentInputItem,
      AgentInputItem,
    ];
    expect(forResponses([user('hi'), first, two], model, true)).toEqual([user('hi'), first, two]);
    expect(forResponses([user('hi'), second, one], model, true)).toEqual([
      user('hi'),
      second,
      assistant('one'),
    ]);
  });

  test('an input for the Responses API keeps the ID of an item before all reasoning', () => {
    const model = responsesModel();
    const output = [assistant('one', 'msg_1'), step('rs_1'), assistant('two', 'msg_2')];
    recordProduced(model, output, true);
    const first = output.slice(0, 1);
    expect(forResponses(first, model, true)).toBe(first);
    const last = output.slice(1);
    expect(forResponses(last, model, true)).toBe(last);
    expect(forResponses([...first, assistant('two', 'msg_2')], model, true)).toEqual([
      ...first,
      assistant('two'),
    ]);
  });

  test('an input for the Responses API keeps a refused item with content, without its ID only where that is needed', () => {
    const model = responsesModel();
    const answer = assistant('yes', 'msg_1');
    recordLost(model, [answer, search, user('hi')]);
    const items = [user('hi'), answer];
    expect(forResponses(items, model, true)).toBe(items);
    expect(forResponses([...items, search], model, true)).toEqual(items);
  });

  test('an input for the Responses API keeps items without an ID after any response', () => {
    const model = responsesModel();
    recordProduced(model, [assistant('one'), { ...foreign }], true);
    expect(forResponses([user('hi'), foreign], model, true)).toEqual([user('hi'), own]);
    const items = [user('hi'), own, result('c1', 'look', 'x')];
    expect(forResponses(items, model, true)).toBe(items);
  });

  test('an input for the Responses API has the same rules for all models of one client', () => {
    const { client } = simulated();
    const [one, other] = ['gpt-5', 'gpt-4.1'].map((name) => new OpenAIResponsesModel(client, name));
    const items = [step('rs_1'), assistant('yes')];
    recordLost(one ?? responsesModel(), [step('rs_1')]);
    expect(forResponses(items, other ?? responsesModel(), true)).toEqual([assistant('yes')]);
    // A model without a client keeps its own memory.
    const [alone, another] = [new ScriptedModel(), new ScriptedModel()];
    for (const model of [alone, another]) Reflect.set(model, '_client', undefined);
    recordLost(alone, [step('rs_1')]);
    expect(forResponses(items, alone, true)).toEqual([assistant('yes')]);
    expect(forResponses(items, another, true)).toBe(items);
  });
});
