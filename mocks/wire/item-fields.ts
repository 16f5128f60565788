/** The optional and the required fields of an item type. */
export interface ItemFields {
  /** How an ID of this type begins, without the underscore. */
  readonly prefix: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const fields = (prefix: string, required: readonly string[], optional: readonly string[]): ItemFields => ({
  prefix,
  required,
  optional,
});

/** The item types of the API, by the value of `type`. Types of hosted tools require an ID: nothing else made them. */
export const itemFields: Readonly<Record<string, ItemFields>> = {
  message: fields('msg', ['role', 'content'], ['id', 'status', 'phase']),
  function_call: fields(
    'fc',
    ['call_id', 'name', 'arguments'],
    ['id', 'status', 'namespace', 'caller', 'async'],
  ),
  function_call_output: fields('fc', ['output'], ['call_id', 'id', 'status', 'name', 'namespace', 'caller']),
  reasoning: fields('rs', ['summary'], ['id', 'content', 'encrypted_content', 'status']),
  compaction: fields('cmp', ['encrypted_content'], ['id']),
  custom_tool_call: fields(
    'ctc',
    ['call_id', 'name', 'input'],
    ['id', 'status', 'namespace', 'caller', 'async'],
  ),
  custom_tool_call_output: fields('ctco', ['call_id', 'output'], ['id', 'status', 'caller']),
  file_search_call: fields('fs', ['id', 'queries'], ['status', 'results']),
  web_search_call: fields('ws', ['id'], ['status', 'action']),
  image_generation_call: fields(
    'ig',
    ['id'],
    [
      'status',
      'result',
      'action',
      'background',
      'output_format',
      'quality',
      'revised_prompt',
      'size',
      'error',
      'svg_usage',
    ],
  ),
  code_interpreter_call: fields('ci', ['id'], ['status', 'container_id', 'code', 'outputs']),
  computer_call: fields('cu', ['id', 'call_id'], ['status', 'action', 'actions', 'pending_safety_checks']),
  computer_call_output: fields('cuo', ['call_id', 'output'], ['id', 'status', 'acknowledged_safety_checks']),
  tool_search_call: fields('tsc', ['arguments'], ['id', 'call_id', 'execution', 'status']),
  tool_search_output: fields('tso', ['tools'], ['id', 'call_id', 'execution', 'status']),
  configuration_update: fields('cfg', [], ['id', 'reasoning', 'text']),
  additional_tools: fields('at', ['role', 'tools'], ['id']),
  local_shell_call: fields('lsh', ['id', 'call_id', 'action'], ['status']),
  local_shell_call_output: fields('lsho', ['output'], ['call_id', 'id', 'status']),
  shell_call: fields('sh', ['call_id', 'action'], ['id', 'status', 'caller', 'environment']),
  shell_call_output: fields('sho', ['call_id', 'output'], ['id', 'status', 'caller', 'max_output_length']),
  apply_patch_call: fields('apc', ['call_id', 'status', 'operation'], ['id', 'caller']),
  apply_patch_call_output: fields('apco', ['call_id', 'status'], ['id', 'caller', 'output']),
  mcp_list_tools: fields('mcpl', ['id', 'server_label', 'tools'], ['error']),
  mcp_approval_request: fields('mcpr', ['id', 'server_label', 'name', 'arguments'], []),
  mcp_approval_response: fields('mcpr', ['approval_request_id', 'approve'], ['id', 'request_id', 'reason']),
  mcp_call: fields(
    'mcp',
    ['id', 'server_label', 'name', 'arguments'],
    ['output', 'error', 'status', 'approval_request_id'],
  ),
  program: fields('prog', ['id', 'call_id', 'code', 'fingerprint'], []),
  program_output: fields('prog', ['id', 'call_id', 'result', 'status'], []),
};

/** The fields that the API fills in where a client leaves them out. */
export const filledFields: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  shell_call: { environment: null },
  shell_call_output: { max_output_length: null },
  tool_search_call: { call_id: null, execution: 'server' },
  tool_search_output: { call_id: null, execution: 'server' },
};

/** The types of calls that a client has to answer, and the types of their outputs. */
export const answeredBy: Readonly<Record<string, string>> = {
  function_call: 'function_call_output',
  custom_tool_call: 'custom_tool_call_output',
  computer_call: 'computer_call_output',
  apply_patch_call: 'apply_patch_call_output',
  shell_call: 'shell_call_output',
  local_shell_call: 'local_shell_call_output',
  tool_search_call: 'tool_search_output',
};
