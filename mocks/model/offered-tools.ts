import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** A tool that the model can call, and the namespace that it is in. */
export interface OfferedTool {
  readonly tool: JsonObject;
  readonly namespace: string | undefined;
}

/** The functions and custom tools of a request and of the items that brought more, with those of each namespace. */
export function offeredTools(tools: unknown, context: readonly JsonObject[]): OfferedTool[] {
  return [{ tools }, ...context].flatMap((owner) => callable(owner.tools, undefined));
}

function callable(tools: unknown, namespace: string | undefined): OfferedTool[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isJsonObject).flatMap((tool) => {
    const { type, name } = tool;
    if (type === 'namespace') return callable(tool['tools'], typeof name === 'string' ? name : undefined);
    return type === 'function' || type === 'custom' ? [{ tool, namespace }] : [];
  });
}
