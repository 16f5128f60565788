import type { UnlinkPolicyName } from '../../mocks/unlinking.ts';

/** The simulator's policies that a user may name, the one of the report first. */
export const UNLINK_POLICIES: readonly UnlinkPolicyName[] = ['every-turn', 'id-replay', 'none'];
