import type { AgentInputItem } from '@openai/agents';

/** A user's message. */
export function user(text: string): AgentInputItem {
  return { type: 'message', role: 'user', content: text };
}

/** A model's message. */
export function assistant(text: string, id?: string): AgentInputItem {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
    ...(id === undefined ? {} : { id }),
  };
}

/** A call of a function. */
export function call(
  callId: string,
  name: string,
  args: object,
): Extract<AgentInputItem, { type: 'function_call' }> {
  return { type: 'function_call', callId, name, arguments: JSON.stringify(args), status: 'completed' };
}

/** The result of a function. */
export function result(callId: string, name: string, output: string): AgentInputItem {
  return { type: 'function_call_result', callId, name, output, status: 'completed' };
}

/** The first letters of the roles, or the types, such as `u,a,u`. */
export function roles(items: readonly AgentInputItem[]): string {
  return items.map((item) => ('role' in item ? item.role.slice(0, 1) : item.type)).join(',');
}

/** The text of each message, and nothing for other items. */
export function texts(items: readonly (AgentInputItem | undefined)[]): string[] {
  return items.map((item) => {
    if (item === undefined || !('content' in item)) return '';
    if (typeof item.content === 'string') return item.content;
    return item.content.map((part) => ('text' in part ? part.text : '')).join('');
  });
}
