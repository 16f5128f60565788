import { OpenAIProvider, type ModelProvider } from '@openai/agents';
import { expect, test } from 'vitest';
import { chainedModel, chainedProvider } from '../../src/chaining/chained-model.ts';
import { simulated } from '../support/simulated.ts';
import { ScriptedModel } from './scripted-model.ts';

test.each([
  ['at once', (model: ScriptedModel) => model],
  ['later', async (model: ScriptedModel) => model],
])('a chained provider serves the models of a provider that has them %s', async (_when, give) => {
  const model = new ScriptedModel();
  const names: unknown[] = [];
  const base: ModelProvider = {
    getModel: (name) => {
      names.push(name);
      return give(model);
    },
  };
  expect(await chainedProvider(base).getModel('gpt-4.1')).toBe(chainedModel(model));
  await chainedProvider(base).getModel();
  expect(names).toEqual(['gpt-4.1', undefined]);
});

test('a chained provider asks a provider in its own name', async () => {
  const base = new OpenAIProvider({ openAIClient: simulated().client });
  expect(await chainedProvider(base).getModel('gpt-4.1')).toHaveProperty('getResponse');
});

test('a chained provider closes what can be closed', async () => {
  const model = new ScriptedModel();
  let closed = 0;
  const base = { getModel: () => model, close: async () => void (closed += 1) };
  const closable = chainedProvider(base);
  await ('close' in closable && typeof closable.close === 'function' ? closable.close() : undefined);
  expect(closed).toBe(1);
  expect(chainedProvider({ getModel: () => model })).not.toHaveProperty('close');
});
