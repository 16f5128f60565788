import { notAmong, refuseUnknown } from './known-names.ts';
import type { SimulatorOptions } from './options.ts';
import type { ResolvedProfile } from './profiles/profile.ts';
import { resolveProfile } from './profiles/profile-table.ts';
import { paceProblem } from './script/pace.ts';
import { checkUpstream } from './upstream/forward.ts';
import { unlinkPolicyNames } from './unlinking.ts';
import { isJsonObject } from './wire/json.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The options with every default filled in. */
export interface SimulatorSettings extends Required<
  Omit<SimulatorOptions, 'profile' | 'now' | 'respond' | 'passthrough' | 'apiKeys'>
> {
  profile: ResolvedProfile;
  now: SimulatorOptions['now'];
  respond: SimulatorOptions['respond'];
  passthrough: SimulatorOptions['passthrough'];
  apiKeys: SimulatorOptions['apiKeys'];
}

/**
 * Fills in the defaults.
 * @throws RangeError naming the option, the rule and the value; for an unknown option or word, the right ones.
 */
export function resolveOptions(options: SimulatorOptions): SimulatorSettings {
  const given: unknown = options;
  if (!isJsonObject(given)) throw ofKind('options', 'an object', given);
  const settings: SimulatorSettings = {
    profile: resolveProfile(options.profile ?? 'openai'),
    unlink: options.unlink ?? 'id-replay',
    unlinkModels: options.unlinkModels ?? ['gpt-5.4', 'gpt-5.5'],
    inputItems: options.inputItems ?? 'own',
    latency: options.latency ?? 0,
    pace: options.pace ?? {},
    lag: options.lag ?? 0,
    seed: options.seed ?? 1,
    now: options.now,
    responseTtl: options.responseTtl ?? 30 * DAY_MS,
    retain: options.retain ?? Number.POSITIVE_INFINITY,
    respond: options.respond,
    contextWindow: options.contextWindow ?? 400_000,
    maxBodyBytes: options.maxBodyBytes ?? 100 * 1024 * 1024,
    onAbort: options.onAbort ?? 'drop-turn',
    unknownFields: options.unknownFields ?? 'refuse',
    passthrough: options.passthrough,
    apiKeys: options.apiKeys,
  };
  refuseUnknown('Cannot create the simulator: "options"', options, Object.keys(settings));
  if (typeof settings.unlink !== 'function') oneOf('unlink', settings.unlink, unlinkPolicyNames);
  oneOf('inputItems', settings.inputItems, ['own', 'inherited']);
  oneOf('onAbort', settings.onAbort, ['drop-turn', 'keep-turn']);
  oneOf('unknownFields', settings.unknownFields, ['refuse', 'ignore']);
  if (settings.passthrough !== undefined)
    checkUpstream('Cannot create the simulator: "passthrough"', settings.passthrough);
  checkKinds(settings);
  atLeast('latency', settings.latency, 0);
  if (!isJsonObject(settings.pace)) throw ofKind('pace', 'an object', settings.pace);
  refuseUnknown('Cannot create the simulator: "pace"', settings.pace, ['firstToken', 'rate']);
  const problem = paceProblem(settings.pace);
  if (problem !== undefined) throw new RangeError(`Cannot create the simulator: ${problem}`);
  if (isJsonObject(settings.lag)) {
    refuseUnknown('Cannot create the simulator: "lag"', settings.lag, ['reads']);
    atLeast('lag', settings.lag['reads'], 0);
  } else atLeast('lag', settings.lag, 0);
  atLeast('responseTtl', settings.responseTtl, 0);
  atLeast('retain', settings.retain, 1);
  atLeast('contextWindow', settings.contextWindow, 1);
  atLeast('maxBodyBytes', settings.maxBodyBytes, 1);
  if (!Number.isInteger(settings.seed)) {
    throw new RangeError(
      `Cannot create the simulator: "seed" must be an integer, but it is ${settings.seed}`,
    );
  }
  return settings;
}

/** Refuses values of another kind, which would have no effect or a wrong one. */
function checkKinds({ now, respond, apiKeys, unlinkModels }: SimulatorSettings): void {
  if (now !== undefined && typeof now !== 'function') throw ofKind('now', 'a function', now);
  if (respond !== undefined && typeof respond !== 'function') throw ofKind('respond', 'a function', respond);
  if (apiKeys !== undefined && !Array.isArray(apiKeys)) throw ofKind('apiKeys', 'an array', apiKeys);
  if (!Array.isArray(unlinkModels)) throw ofKind('unlinkModels', 'an array', unlinkModels);
  const key: unknown = apiKeys?.find((each) => typeof each !== 'string');
  if (key !== undefined) throw ofKind('apiKeys', 'texts', key);
  const model: unknown = unlinkModels.find((each) => typeof each !== 'string' && !(each instanceof RegExp));
  if (model !== undefined) throw ofKind('unlinkModels', 'names and patterns', model);
}

function ofKind(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot create the simulator: "${name}" must be ${expected}, but it is ${JSON.stringify(value)}`,
  );
}

function oneOf(name: string, value: unknown, words: readonly string[]): void {
  if (words.some((word) => word === value)) return;
  throw notAmong(`Cannot create the simulator: "${name}" cannot be ${JSON.stringify(value)}`, words);
}

function atLeast(name: string, value: unknown, least: number): void {
  if (typeof value !== 'number') throw ofKind(name, 'a number', value);
  if (value >= least) return;
  throw new RangeError(
    `Cannot create the simulator: "${name}" must be at least ${least}, but it is ${value}`,
  );
}
