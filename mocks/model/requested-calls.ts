import type { ToolCall } from './answer.ts';

/**
 * Reads the tool calls a user asks for: `call get_weather {"city":"Oslo"}`, several of them in parallel. The word `then`
 * begins the next round: `call a then call b {"x":1}` calls `b` after the output of `a` came back.
 * Only tools of the request are called; arguments that are not valid JSON are left out.
 */
export function requestedCalls(text: string, tools: readonly string[], round: number): ToolCall[] {
  const part = text.split(/\bthen\b(?=\s+call\s)/)[round] ?? '';
  const calls: ToolCall[] = [];
  for (const match of part.matchAll(/\bcall\s+([\w-]+)/g)) {
    const name = match[1] ?? '';
    if (!tools.includes(name)) continue;
    const args = jsonAt(part, match.index + match[0].length);
    calls.push(args === undefined ? { name, arguments: '{}' } : { name, arguments: args });
  }
  return calls;
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
