import { isObject, textOf, type JsonObject } from './json.ts';

/** The program that made a call, empty where the model made it itself; in the SDK's naming or the API's. */
export function callerOf(fields: JsonObject): string {
  const caller = fields['caller'];
  if (!isObject(caller) || caller['type'] !== 'program') return '';
  return textOf(caller['callerId'] ?? caller['caller_id']);
}
