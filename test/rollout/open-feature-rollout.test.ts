import { InMemoryProvider, OpenFeature } from '@openfeature/server-sdk';
import { afterAll, describe, expect, it } from 'vitest';
import { openFeatureRollout } from '../../src/openfeature.ts';
import { resolveMode } from '../../src/rollout/resolve-mode.ts';

const variants = { off: 'off', rebuild: 'rebuild', chain: 'chain', nonsense: 'on' };

/** A flag whose variant depends on who is asked about. */
async function clientWith(
  domain: string,
  contextEvaluator: (context: {
    targetingKey?: string;
    model?: unknown;
    plan?: unknown;
  }) => keyof typeof variants,
) {
  const flag = { variants, defaultVariant: 'off', disabled: false, contextEvaluator };
  await OpenFeature.setProviderAndWait(domain, new InMemoryProvider({ 'agent-memory': flag }));
  return OpenFeature.getClient(domain);
}

describe('A rollout by OpenFeature', () => {
  afterAll(() => OpenFeature.close());

  it("asks for the session's ID and model, and for what else the rules want", async () => {
    const client = await clientWith('context', ({ targetingKey, model, plan }) =>
      targetingKey === 'conv_1' && model === 'gpt-5.4' && plan === 'enterprise' ? 'chain' : 'off',
    );
    const rollout = openFeatureRollout(client, 'agent-memory', { context: { plan: 'enterprise' } });
    expect(await resolveMode(rollout, { sessionId: 'conv_1', model: 'gpt-5.4' })).toMatchObject({
      mode: 'chain',
    });
    expect(await resolveMode(rollout, { sessionId: 'conv_2', model: 'gpt-5.4' })).toMatchObject({
      mode: 'off',
    });
    expect(await resolveMode(rollout, { sessionId: 'conv_1', model: undefined })).toMatchObject({
      mode: 'off',
    });
    const own = openFeatureRollout(client, 'agent-memory', {
      context: ({ model }) => ({ model: model ?? 'gpt-5.4', plan: 'enterprise' }),
    });
    expect(await resolveMode(own, { sessionId: 'conv_1', model: undefined })).toMatchObject({
      mode: 'chain',
    });
  });

  it('takes effect at the next turn when the flag changes', async () => {
    let variant: keyof typeof variants = 'chain';
    const rollout = openFeatureRollout(await clientWith('change', () => variant), 'agent-memory');
    const context = { sessionId: 'conv_1', model: undefined };
    expect((await resolveMode(rollout, context)).mode).toBe('chain');
    variant = 'off';
    expect((await resolveMode(rollout, context)).mode).toBe('off');
  });

  it('falls back, with a reason where there is one, when the flag is missing or says nonsense', async () => {
    const client = await clientWith('fallback', () => 'nonsense');
    const context = { sessionId: 'conv_1', model: undefined };
    expect(await resolveMode(openFeatureRollout(client, 'agent-memory'), context)).toEqual({
      mode: 'chain',
      problem: 'threw',
    });
    const missing = openFeatureRollout(client, 'no-such-flag', { defaultMode: 'shadow' });
    expect(await resolveMode(missing, context)).toEqual({ mode: 'shadow', problem: undefined });
  });
});
