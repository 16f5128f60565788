import { isJsonObject, ownEntry } from './json.ts';

const ROLES: Readonly<Record<string, string>> = {
  user: 'u',
  assistant: 'a',
  system: 's',
  developer: 'd',
};

/**
 * The letter of one item: `u`, `a`, `s`, `d` for a message by role, `c` for a tool call, `r` for its result, `t` for a
 * reasoning step (a thought), `x` for a compaction, `?` for anything else. Reads API items and SDK items alike.
 */
export function letterOf(item: unknown): string {
  if (!isJsonObject(item)) return '?';
  const { role, type } = item;
  if (typeof role === 'string') return ownEntry(ROLES, role) ?? '?';
  if (typeof type !== 'string') return '?';
  if (type === 'reasoning') return 't';
  if (type === 'compaction') return 'x';
  if (type.endsWith('_call')) return 'c';
  return /_(call_output|call_result|response|output)$/.test(type) ? 'r' : '?';
}

/** Draws a history as letters in order, `u,a,u,a`, for tests about lost turns. */
export function outline(items: Iterable<unknown>): string {
  return Array.from(items, letterOf).join(',');
}
