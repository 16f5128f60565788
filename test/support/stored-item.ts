import type { ApiJson } from './api-items.ts';

/** The API's defaults for absent fields of an item, by type. */
const DEFAULTS: Readonly<Record<string, ApiJson>> = {
  function_call: { caller: { type: 'direct' } },
  computer_call: { pending_safety_checks: [] },
  computer_call_output: { acknowledged_safety_checks: [] },
  shell_call: { environment: null },
  shell_call_output: { max_output_length: null },
  tool_search_call: { call_id: null },
  tool_search_output: { call_id: null },
  code_interpreter_call: { outputs: null },
  file_search_call: { results: null },
  mcp_call: { error: null, output: null, approval_request_id: null },
  mcp_list_tools: { error: null },
  mcp_approval_response: { reason: null },
  message: { phase: null },
};

/** Types whose status is not the API's to choose. */
const WITHOUT_STATUS = new Set(['reasoning', 'compaction', 'mcp_list_tools', 'apply_patch_call_output']);

/**
 * The listed form of an item after it was written to a conversation.
 * An item with a known ID is the stored item, and its given content is ignored; any other gets an ID and a status, its
 * content becomes parts, and defaults appear.
 * @param existing the items that the API holds already.
 */
export function storedItem(written: object, newId: string, existing: ReadonlyMap<string, ApiJson>): ApiJson {
  const fields: ApiJson = { type: 'message', ...written };
  const id = typeof fields['id'] === 'string' ? fields['id'] : newId;
  const linked = existing.get(id);
  if (linked !== undefined) return linked;
  const type = String(fields['type']);
  return {
    ...(Object.hasOwn(DEFAULTS, type) ? DEFAULTS[type] : {}),
    ...fields,
    ...(WITHOUT_STATUS.has(type) ? {} : { status: 'completed' }),
    id,
    ...(type === 'message' ? { content: storedParts(fields['content'], fields['role']) } : {}),
    ...(Array.isArray(fields['output']) && type === 'function_call_output'
      ? { output: fields['output'].map((part: ApiJson) => storedPart(part)) }
      : {}),
  };
}

/** An item as a list shows it without `include`. */
export function withoutIncludes(item: ApiJson): ApiJson {
  switch (item['type']) {
    case 'file_search_call':
      return { ...item, results: null };
    case 'code_interpreter_call':
      return { ...item, outputs: null };
    case 'web_search_call': {
      const { sources: _sources, ...action } = { sources: undefined, ...(item['action'] as object) };
      return { ...item, action };
    }
    default:
      return item;
  }
}

function storedParts(content: unknown, role: unknown): unknown {
  if (Array.isArray(content)) return content.map((part: ApiJson) => storedPart(part));
  return [storedPart({ type: role === 'assistant' ? 'output_text' : 'input_text', text: content })];
}

function storedPart(part: ApiJson): ApiJson {
  switch (part['type']) {
    case 'output_text':
      return { annotations: [], logprobs: [], ...part };
    case 'input_image':
      return { image_url: null, file_id: null, detail: 'auto', ...part };
    case 'input_file':
      return {
        detail: 'auto',
        ...part,
        ...(typeof part['file_id'] === 'string' ? { filename: 'as-uploaded.pdf' } : {}),
      };
    default:
      return part;
  }
}
