import {
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  type Model,
  type ModelRequest,
} from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { classNames, extendContext, isRunnersRetry, plannable } from '../../src/chaining/request.ts';
import { assistant, user } from '../support/conversation.ts';
import { modelRequest } from './chained-calls.ts';

const client = new OpenAI({ apiKey: 'test' });
const model = new OpenAIResponsesModel(client, 'gpt-4.1');

function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return modelRequest([user('hi')], fields);
}

const obstacleOf = (fields: Partial<ModelRequest>, to: Model = model): unknown =>
  plannable(request(fields), to).obstacle;

test('readRequest reads a text as the message that it becomes', () => {
  expect(plannable(request({ input: 'hi' }), model)).toEqual(plannable(request(), model));
});

test('readRequest digests every beginning of the input', () => {
  const items = [user('hi'), assistant('hello'), user('thanks')];
  const { contexts } = plannable(request({ input: items }), model);
  expect(contexts).toHaveLength(4);
  expect(contexts[0]).toBe(EMPTY_DIGEST);
  expect(new Set(contexts).size).toBe(4);
  expect(contexts.at(-1)).toBe(extendContext(contexts[1] ?? '', items.slice(1)));
});

test('readRequest tells references to stored items apart by what they refer to', () => {
  const [one, other] = ['msg_1', 'msg_2'].map((id) => {
    const reference = { type: 'unknown' as const, id, providerData: { type: 'item_reference' } };
    return plannable(request({ input: [reference] }), model).contexts[1];
  });
  expect(one).not.toBe(other);
});

describe('finds no obstacle', () => {
  test.each<[string, Partial<ModelRequest>]>([
    ['in a plain request', {}],
    [
      'in settings that say nothing about the context',
      { modelSettings: { store: false, truncation: 'auto' } },
    ],
    [
      'in fields of the body that say nothing about it',
      { modelSettings: { providerData: { user: 'u', extra_body: { metadata: {} } } } },
    ],
    [
      'in fields that are empty',
      { modelSettings: { providerData: { conversation: null, previous_response_id: undefined } } },
    ],
  ])('%s', (_what, fields) => {
    expect(obstacleOf(fields)).toBeUndefined();
  });

  test("a Responses model of a user's class or of another copy of the SDK can be chained", () => {
    class Mine extends OpenAIResponsesModel {}
    const { OpenAIResponsesModel: Copy } = {
      OpenAIResponsesModel: class OpenAIResponsesModel {
        readonly getResponse = model.getResponse.bind(model);
        readonly getStreamedResponse = model.getStreamedResponse.bind(model);
      },
    };
    class Theirs extends Copy {}
    expect(obstacleOf({}, new Mine(client, 'gpt-4.1'))).toBeUndefined();
    expect(obstacleOf({}, new Theirs())).toBeUndefined();
  });
});

describe('leaves alone', () => {
  test.each<[string, Partial<ModelRequest>]>([
    ['a previous response', { previousResponseId: 'resp_1' }],
    ['a conversation', { conversationId: 'conv_1' }],
    [
      'a previous response in the body',
      { modelSettings: { providerData: { previous_response_id: 'resp_1' } } },
    ],
    ['a conversation in the body', { modelSettings: { providerData: { conversation: 'conv_1' } } }],
    [
      'a conversation in the extra body',
      { modelSettings: { providerData: { extra_body: { conversation: { id: 'conv_1' } } } } },
    ],
    [
      'an input in the extra body',
      { modelSettings: { providerData: { extraBody: { input: 'something else' } } } },
    ],
  ])('%s that the caller chose', (_what, fields) => {
    expect(obstacleOf(fields)).toBe('caller_set');
  });

  test.each<[string, Partial<ModelRequest>]>([
    ['a prompt template', { prompt: { promptId: 'pmpt_1' } }],
    ['a prompt template in the body', { modelSettings: { providerData: { prompt: { id: 'pmpt_1' } } } }],
  ])('%s', (_what, fields) => {
    expect(obstacleOf(fields)).toBe('prompt');
  });

  test('a model that speaks another API', () => {
    expect(obstacleOf({}, new OpenAIChatCompletionsModel(client, 'gpt-4.1'))).toBe('unsupported_model');
    const custom = {
      getResponse: model.getResponse.bind(model),
      getStreamedResponse: model.getStreamedResponse.bind(model),
    };
    expect(obstacleOf({}, custom)).toBe('unsupported_model');
  });

  test('a model whose answers leave out what its agents said among themselves', () => {
    class OpenAIHostedMultiAgentModel extends OpenAIResponsesModel {}
    expect(obstacleOf({}, new OpenAIHostedMultiAgentModel(client, 'gpt-5.4'))).toBe('unsupported_model');
  });
});

test('the classes of an object are named from the most special one on', () => {
  class Mine extends OpenAIResponsesModel {}
  const names = classNames(new Mine(client, 'gpt-4.1')).filter(Boolean);
  expect(names).toEqual(['Mine', 'OpenAIResponsesModel']);
  expect(classNames({}).filter(Boolean)).toEqual(['Object']);
});

/** A request with the mark of the SDK. */
const marked = (internal: unknown): ModelRequest => Object.assign(request(), { _internal: internal });

test('a retry of the runner is known by its mark', () => {
  expect(isRunnersRetry(marked({ runnerManagedRetry: true }))).toBe(true);
  for (const internal of [{ runnerManagedRetry: false }, {}, undefined, null, true])
    expect(isRunnersRetry(marked(internal))).toBe(false);
});
