import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getDefaultModelSettings } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { ClientTypes } from '../client/client-types.ts';
import { clientOf, refusalOf } from '../support.ts';

/** The names in the SDK's own table of models, from its source: the SDK exports only a look-up. */
function namesInSdk(): string[] {
  const near = createRequire(createRequire(import.meta.url).resolve('@openai/agents'));
  const entry = near.resolve('@openai/agents-core');
  const source = readFileSync(new URL('defaultModel.js', `file://${entry}`), 'utf8');
  return Array.from(source.matchAll(/\[\/\^(gpt-[^/]+?)(?:\(\?:[^/]+)?\$\/, '\w+'\]/g), ([, name = '']) =>
    name.replaceAll('\\', ''),
  );
}

const namesInClient = new ClientTypes().textsOf('ChatModel').filter((name) => /^gpt-[5-9]/.test(name));
const reasoning = [...new Set([...namesInSdk(), ...namesInClient])].filter((name) => !name.includes('chat'));

const phasesOf = (output: readonly { type: string; phase?: string | null }[]): unknown[] =>
  output.filter(({ type }) => type === 'message').map(({ phase }) => phase);

describe('the models', () => {
  it('the names of the SDK and of the client are read', () => {
    expect(namesInSdk()).toEqual(expect.arrayContaining(['gpt-5', 'gpt-5.4', 'gpt-5.6-luna', 'gpt-6-astra']));
    expect(namesInClient.length).toBeGreaterThan(10);
  });

  it.each([...reasoning, 'gpt-7', 'gpt-5.6-sol-2026-07-01', 'openai/gpt-6-sol', 'a-model-of-tomorrow'])(
    'the simulator takes the settings of the SDK and every effort for %s',
    async (model) => {
      const client = clientOf(createSimulator());
      const { reasoning: settings, text } = getDefaultModelSettings(model);
      const first = await client.responses.create({
        model,
        input: 'hi',
        reasoning: settings ?? null,
        ...(text ? { text } : {}),
      } as never);
      expect(first).toMatchObject({ status: 'completed' });
      for (const effort of ['none', 'low', 'medium', 'high', 'xhigh', 'max'] as const) {
        const response = await client.responses.create({ model, input: 'hi', reasoning: { effort } });
        expect(response.reasoning?.effort).toBe(effort);
        expect(response.output[0]?.type).toBe(effort === 'none' ? 'message' : 'reasoning');
      }
    },
  );

  it.each([
    'gpt-4.1',
    'gpt-4o-mini',
    'chatgpt-4o-latest',
    'gpt-5-chat-latest',
    'gpt-5.3-chat-latest',
    'ft:gpt-4.1:a',
  ])('the simulator refuses an effort for %s', async (model) => {
    const asked = clientOf(createSimulator()).responses.create({
      model,
      input: 'hi',
      reasoning: { effort: 'low' },
    });
    expect(await refusalOf(asked)).toMatchObject({ param: 'reasoning.effort' });
  });

  it.each([
    ['gpt-4.1', [undefined]],
    ['gpt-5.2', [undefined]],
    ['gpt-5.3-codex', ['final_answer']],
    ['gpt-5.4-mini', ['final_answer']],
    ['gpt-5.6-sol', ['final_answer']],
    ['gpt-5.10', ['final_answer']],
    ['gpt-6-sol', ['final_answer']],
    ['gpt-6.1-terra', ['final_answer']],
    ['gpt-7', ['final_answer']],
  ])('a message of %s has the phase %j', async (model, phases) => {
    const { output } = await clientOf(createSimulator()).responses.create({ model, input: 'hi' });
    expect(phasesOf(output)).toEqual(phases);
  });
});
