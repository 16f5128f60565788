import { isJsonObject, type JsonObject, ownEntry } from '../wire/json.ts';

/** The dated snapshots behind the names that have one; other names are echoed as they are. */
const SNAPSHOTS: Readonly<Record<string, string>> = {
  'gpt-4.1': 'gpt-4.1-2025-04-14',
  'gpt-4.1-mini': 'gpt-4.1-mini-2025-04-14',
  'gpt-4.1-nano': 'gpt-4.1-nano-2025-04-14',
  'gpt-4o': 'gpt-4o-2024-08-06',
  'gpt-4o-mini': 'gpt-4o-mini-2024-07-18',
  'gpt-5': 'gpt-5-2025-08-07',
  'gpt-5-mini': 'gpt-5-mini-2025-08-07',
  'gpt-5-nano': 'gpt-5-nano-2025-08-07',
  'gpt-5.1': 'gpt-5.1-2025-11-13',
  'gpt-5.2': 'gpt-5.2-2025-12-11',
};

/** The name a response gives its model: the dated snapshot of the one that was asked for. */
export function snapshotOf(model: string): string {
  return ownEntry(SNAPSHOTS, model) ?? model;
}

/** The models that cannot reason; any other name may be that of a model that can. */
const NEVER_REASONS = /^(?:gpt-[34]|chatgpt-|gpt-audio|gpt-5(?:\.\d+)?-chat)/;

/** The models that reason unless they are asked not to. */
const ALWAYS_REASONS = /^(?:o\d|gpt-5(?:-|$)|gpt-\d+(?:\.\d+)?-pro(?:-|$))/;

/** Whether the model reasons if it is asked to. */
export function canReason(model: string): boolean {
  return !NEVER_REASONS.test(familyOf(model));
}

/**
 * How hard the model reasons: as asked, else `medium` for models that always do and `none` for models from gpt-5.1 on;
 * `null` for any other.
 */
export function effortOf(model: string, request: JsonObject): string | null {
  const asked = isJsonObject(request['reasoning']) ? request['reasoning']['effort'] : undefined;
  if (typeof asked === 'string') return asked;
  if (!canReason(model)) return null;
  if (ALWAYS_REASONS.test(familyOf(model))) return 'medium';
  return isFrom(model, 5, 1) ? 'none' : null;
}

/** Whether the model begins with a reasoning step. */
export function reasons(model: string, request: JsonObject): boolean {
  const effort = effortOf(model, request);
  return effort !== null && effort !== 'none';
}

/** Whether the model marks its messages as commentary or final answer: gpt-5.3-codex and everything after it. */
export function marksPhase(model: string): boolean {
  return familyOf(model).startsWith('gpt-5.3-codex') || isFrom(model, 5, 4);
}

/** Whether the model is a GPT of that version or a later one. */
export function isFrom(model: string, major: number, minor: number): boolean {
  const [, ownMajor, ownMinor = '0'] = /^gpt-(\d+)(?:\.(\d+))?(?:-|$)/.exec(familyOf(model)) ?? [];
  if (ownMajor === undefined) return false;
  const later = Number(ownMajor) - major || Number(ownMinor) - minor;
  return later >= 0;
}

/** The name without a provider in front of it, and without the mark of a model that was trained further. */
function familyOf(model: string): string {
  return model.replace(/^.*\//, '').replace(/^ft:/, '');
}
