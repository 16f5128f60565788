import type { Profile, ProfileName } from '../../mocks/index.ts';

/** Servers that continue from a response as the API does, and differ otherwise. */
export const CONTINUING: readonly ProfileName[] = ['forgets-reasoning', 'no-conversations', 'rewrites-ids'];

/** Servers on which a flow goes as it does on the API: the model sees the same, and so does the caller. */
export const PROFILES: readonly ProfileName[] = [
  'zdr',
  'ignores-parent',
  'refuses-parent:ogx',
  'slow-to-read',
  ...CONTINUING,
];

/** Whether a server has the Conversations API: a session on one that has not needs `mirror: 'off'`. */
export function hasConversations(profile: Profile | ProfileName = 'openai'): boolean {
  if (typeof profile === 'string') return !profile.startsWith('no-conversations');
  return profile.conversations === undefined || profile.conversations === 'served';
}
