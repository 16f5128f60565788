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

/** How hard the model reasons: as asked, else `medium` for models that always do, else `none`; `null` if it cannot. */
export function effortOf(model: string, request: JsonObject): string | null {
  const asked = isJsonObject(request['reasoning']) ? request['reasoning']['effort'] : undefined;
  if (typeof asked === 'string') return asked;
  if (/^o\d/.test(model) || /^gpt-5(-|$)/.test(model)) return /chat/.test(model) ? null : 'medium';
  return model.startsWith('gpt-5.') ? 'none' : null;
}

/** Whether the model begins with a reasoning step. */
export function reasons(model: string, request: JsonObject): boolean {
  const effort = effortOf(model, request);
  return effort !== null && effort !== 'none';
}

/** Whether the model marks its messages as commentary or final answer: gpt-5.3-codex and everything after it. */
export function marksPhase(model: string): boolean {
  return model.startsWith('gpt-5.3-codex') || /^gpt-5\.([4-9]|\d\d)/.test(model);
}
