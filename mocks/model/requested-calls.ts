import type { ToolCall } from './answer.ts';
import { sampleOf } from '../samples/sample.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/**
 * Reads the tool calls a user asks for, round by round: `call get_weather {"city":"Oslo"}`, several of them in parallel.
 * The word `then` begins the next round: `call a then call b {"x":1}` calls `b` after the output of `a` came back.
 * Only tools of the request are called. Without valid JSON the arguments are some that fit the tool.
 */
export function requestedCalls(text: string, tools: readonly JsonObject[]): ToolCall[][] {
  return text.split(/\bthen\b(?=\s+call\s)/).map((part) => callsIn(part, tools));
}

function callsIn(part: string, tools: readonly JsonObject[]): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const match of part.matchAll(/\bcall\s+([\w-]+)/g)) {
    const name = match[1] ?? '';
    const tool = tools.find((each) => each['name'] === name);
    if (!tool) continue;
    const args = jsonAt(part, match.index + match[0].length);
    calls.push({ name, arguments: args ?? argumentsFor(tool) });
  }
  return calls;
}

/** Arguments that fit the parameters of a tool, as text. */
export function argumentsFor(tool: JsonObject): string {
  return isJsonObject(tool['parameters']) ? JSON.stringify(sampleOf(tool['parameters'], '')) : '{}';
}

/** The JSON object that starts at this position (after blanks), as text. */
function jsonAt(text: string, position: number): string | undefined {
  const start = text.slice(position).search(/\S/) + position;
  if (text[start] !== '{') return undefined;
  for (let end = text.indexOf('}', start); end !== -1; end = text.indexOf('}', end + 1)) {
    const candidate = text.slice(start, end + 1);
    if (isJson(candidate)) return candidate;
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
