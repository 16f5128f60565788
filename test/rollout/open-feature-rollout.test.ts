import { InMemoryProvider, OpenFeature, type Provider } from '@openfeature/server-sdk';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { InvalidOptionsError } from '../../src/errors/options.ts';
import { openFeatureRollout, type FlagClient } from '../../src/openfeature.ts';
import { resolveMode } from '../../src/rollout/resolve.ts';

const variants = { off: 'off', rebuild: 'rebuild', chain: 'chain', nonsense: 'on' };
const context = { sessionId: 'conv_1', model: undefined };

/** A flag whose variant depends on who is asked about. */
async function clientWith(
  domain: string,
  contextEvaluator: (context: {
    targetingKey?: string;
    model?: unknown;
    plan?: unknown;
    tags?: unknown;
  }) => keyof typeof variants,
) {
  const flag = { variants, defaultVariant: 'off', disabled: false, contextEvaluator };
  await OpenFeature.setProviderAndWait(domain, new InMemoryProvider({ 'agent-memory': flag }));
  return OpenFeature.getClient(domain);
}

function unused(): never {
  throw new Error('not asked for');
}

/** A provider whose string flags are whatever this gives. */
async function clientOf(domain: string, evaluate: () => Promise<{ value: string }>) {
  const provider: Provider = {
    metadata: { name: 'test' },
    runsOn: 'server',
    resolveStringEvaluation: evaluate,
    resolveBooleanEvaluation: unused,
    resolveNumberEvaluation: unused,
    resolveObjectEvaluation: unused,
  };
  await OpenFeature.setProviderAndWait(domain, provider);
  return OpenFeature.getClient(domain);
}

describe('A rollout by OpenFeature', () => {
  afterAll(() => OpenFeature.close());
  afterEach(() => void vi.useRealTimers());

  it("an OpenFeature rollout asks for the session's ID and model, and for what else the rules want", async () => {
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
    expect(await resolveMode(rollout, context)).toMatchObject({ mode: 'off' });
    const own = openFeatureRollout(client, 'agent-memory', {
      context: ({ model }) => ({ model: model ?? 'gpt-5.4', plan: 'enterprise', tags: ['a', { b: null }] }),
    });
    expect(await resolveMode(own, context)).toMatchObject({ mode: 'chain' });
  });

  it('an OpenFeature rollout takes effect at the next turn when the flag changes', async () => {
    let variant: keyof typeof variants = 'chain';
    const rollout = openFeatureRollout(await clientWith('change', () => variant), 'agent-memory');
    expect((await resolveMode(rollout, context)).mode).toBe('chain');
    variant = 'off';
    expect((await resolveMode(rollout, context)).mode).toBe('off');
  });

  it('an OpenFeature rollout takes the default of its own, and says why, when the flag says nonsense or does not exist', async () => {
    const client = await clientWith('fallback', () => 'nonsense');
    const nonsense = openFeatureRollout(client, 'agent-memory', { defaultMode: 'off' });
    expect(await resolveMode(nonsense, context)).toEqual({
      mode: 'off',
      problem: 'no_mode',
      code: undefined,
    });
    const missing = openFeatureRollout(client, 'no-such-flag', { defaultMode: 'shadow' });
    expect(await resolveMode(missing, context)).toEqual({
      mode: 'shadow',
      problem: 'threw',
      code: 'FLAG_NOT_FOUND',
    });
    expect(await resolveMode(openFeatureRollout(client, 'no-such-flag'), context)).toMatchObject({
      mode: 'chain',
    });
  });

  it('the default mode applies if the provider fails, which the client of OpenFeature hides', async () => {
    const client = await clientOf('failing', async () => Promise.reject(new Error('no connection')));
    expect(await client.getStringValue('agent-memory', 'off')).toBe('off');
    expect(
      await resolveMode(openFeatureRollout(client, 'agent-memory', { defaultMode: 'off' }), context),
    ).toEqual({ mode: 'off', problem: 'threw', code: 'GENERAL' });
  });

  it('the default mode applies if the provider does not answer', async () => {
    const client = await clientOf('hanging', () => new Promise(() => undefined));
    vi.useFakeTimers();
    const resolved = resolveMode(
      openFeatureRollout(client, 'agent-memory', { defaultMode: 'rebuild' }),
      context,
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(await resolved).toEqual({ mode: 'rebuild', problem: 'too_slow', code: undefined });
  });

  it('the default mode applies if the context cannot be made', async () => {
    const rollout = openFeatureRollout(await clientWith('no-context', () => 'chain'), 'agent-memory', {
      defaultMode: 'off',
      context: () => {
        throw new RangeError('no plan');
      },
    });
    expect(await resolveMode(rollout, context)).toEqual({
      mode: 'off',
      problem: 'threw',
      code: 'RangeError',
    });
  });

  it('an OpenFeature rollout takes values from a client that has no details', async () => {
    const client: FlagClient = { getStringValue: async () => 'rebuild' };
    expect(await resolveMode(openFeatureRollout(client, 'agent-memory'), context)).toMatchObject({
      mode: 'rebuild',
    });
  });

  it.each([
    ['client', {}, 'flag', {}],
    ['flagKey', undefined, '', {}],
    ['options.defaultMode', undefined, 'flag', { defaultMode: 'on' }],
    ['options.default', undefined, 'flag', { default: 'off' }],
    ['options.context', undefined, 'flag', { context: 'enterprise' }],
  ])('an OpenFeature rollout refuses a wrong %s', (option, client, flagKey, options) => {
    const make = () =>
      openFeatureRollout((client ?? OpenFeature.getClient()) as FlagClient, flagKey, options as never);
    expect(make).toThrow(InvalidOptionsError);
    expect(make).toThrow(`'${option}'`);
  });
});
