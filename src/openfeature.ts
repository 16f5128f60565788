export {
  openFeatureRollout,
  type FlagClient,
  type FlagContext,
  type OpenFeatureRolloutOptions,
} from './rollout/open-feature-rollout.ts';
