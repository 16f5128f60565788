import { missingRoutes, type MissingRouteName } from './missing-routes.ts';
import { parentRefusals, type ParentRefusalName } from './parent-refusals.ts';
import { notAmong, refuseUnknown } from '../known-names.ts';
import { OPENAI, type Profile, type ResolvedProfile } from './profile.ts';

/** The servers that have a name; `refuses-parent` and `no-conversations` also come in other words. */
const named = {
  openai: {},
  zdr: { stores: false, parent: 'refuses', refusal: 'zdr' },
  'ignores-parent': { parent: 'ignores', echo: 'null' },
  'ignores-parent:absent': { parent: 'ignores', echo: 'absent' },
  'ignores-parent:kept': { parent: 'ignores', echo: 'kept' },
  'refuses-parent': { parent: 'refuses', refusal: 'openai' },
  'forgets-reasoning': { reasoningTtl: 0 },
  'slow-to-read': { readableAfter: 33_000 },
  'no-conversations': { conversations: 'openai' },
  'rewrites-ids': { rewritesIds: true },
  'drops-tool-calls': { parent: 'keeps-messages' },
} as const satisfies Record<string, Profile>;

/** The name of a profile, such as `zdr` or `refuses-parent:vllm`. */
export type ProfileName =
  | keyof typeof named
  | `refuses-parent:${ParentRefusalName}`
  | `no-conversations:${MissingRouteName}`;

const refusing = keysOf(parentRefusals).map((refusal): [ProfileName, Profile] => [
  `refuses-parent:${refusal}`,
  { parent: 'refuses', refusal },
]);

const withoutRoutes = keysOf(missingRoutes).map((conversations): [ProfileName, Profile] => [
  `no-conversations:${conversations}`,
  { conversations },
]);

const profiles = new Map<string, Profile>([...Object.entries<Profile>(named), ...refusing, ...withoutRoutes]);

/** The name of every profile. */
export const profileNames: readonly ProfileName[] = [
  ...keysOf(named),
  ...[...refusing, ...withoutRoutes].map(([name]) => name),
];

/**
 * The profile of a name, or the given one, with every default filled in.
 * @throws RangeError for a name or a field that there is not; it lists those there are.
 */
export function resolveProfile(profile: ProfileName | Profile): ResolvedProfile {
  if (typeof profile !== 'string') {
    if (typeof profile !== 'object') throw refused(`cannot be ${String(profile)}`, profileNames);
    refuseUnknown('Cannot create the simulator: its "profile"', profile, Object.keys(OPENAI));
    for (const [field, words] of Object.entries(WORDS)) checkWord(field, profile, words);
    for (const field of ['readableAfter', 'reasoningTtl'] as const) {
      const time = profile[field] ?? 0;
      if (!(time >= 0)) throw refused(`cannot have ${field} ${time}`, ['times of at least 0 ms']);
    }
    return { ...OPENAI, ...profile };
  }
  const found = profiles.get(profile);
  if (found === undefined) throw refused(`cannot be "${profile}"`, profileNames);
  return { ...OPENAI, ...found };
}

/** The values of the fields that are words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  parent: ['continues', 'ignores', 'keeps-messages', 'refuses'],
  refusal: keysOf(parentRefusals),
  echo: ['kept', 'null', 'absent'],
  conversations: ['served', ...keysOf(missingRoutes)],
};

function checkWord(field: string, profile: Profile, words: readonly string[]): void {
  const value: unknown = Reflect.get(profile, field);
  if (value === undefined || words.some((word) => word === value)) return;
  throw refused(`cannot have ${field} ${JSON.stringify(value)}`, words);
}

function refused(problem: string, right: readonly string[]): RangeError {
  return notAmong(`Cannot create the simulator: its "profile" ${problem}`, right);
}

function keysOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table).filter((key): key is keyof T & string => Object.hasOwn(table, key));
}
