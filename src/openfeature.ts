export {
  openFeatureRollout,
  type FlagClient,
  type FlagContext,
  type FlagContextValue,
  type FlagDetails,
  type OpenFeatureRolloutOptions,
} from './rollout/open-feature.ts';
