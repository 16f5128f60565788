import { z } from 'zod';
import type { JsonObject } from '../util/json.ts';
import * as agentItem from './canonical-agent-item.ts';
import * as apiItem from './canonical-api-item.ts';
import type { Canonical } from './canonical-content.ts';

/** A type of the SDK. A field that is absent says no. */
export interface SdkType {
  /** The title for people; without one it is the name of the type. */
  readonly title?: string;
  /** The title before the name of the tool. */
  readonly titleBeforeName?: string;
  /** The item is written to a conversation with its ID. */
  readonly keepsId?: true;
  /** A model gets the item without its ID, and the digest reads neither ID nor status. */
  readonly isPlain?: true;
  /** The field that holds content parts; the API names it like the SDK. */
  readonly partsField?: 'content' | 'output';
  /**
   * The fields of provider data that the API takes. The SDK writes provider data into the item that it sends, and the API
   * refuses a field that it does not know. Absent: every field is the API's own, or the SDK does not write provider data.
   */
  readonly providerData?: readonly string[];
  /** The least that makes an object an item of the type. */
  readonly least?: z.ZodRawShape;
  /** Returns the fields that a model reads, for the digest. Absent: the item is read in the API's form. */
  readonly canonical?: (fields: JsonObject) => Canonical | undefined;
}

/** An item type of the API, with the SDK's type for it. */
export interface ItemType extends SdkType {
  /** The SDK's name of the type, where it differs from the API's. */
  readonly sdkName?: string;
  /** The name that the first versions of the SDK gave to a hosted tool; the SDK still reads it. */
  readonly formerName?: string;
  /**
   * `message`: the role of the message decides. `output`: a model makes the item. `result`: it answers an output of a model.
   * `context`: the caller or the server adds it to the context.
   */
  readonly role: 'message' | 'reasoning' | 'output' | 'result' | 'context';
  /** `content`: the API takes the item without an ID. `id`: the API finds it by its ID alone. */
  readonly takenBy: 'content' | 'id';
  /** The API refuses the item without its ID, and links the stored item when it has one. */
  readonly isMadeByServer?: true;
  /** The beginning of the API's IDs, where other providers give IDs of their own to the same items. */
  readonly idPrefix?: string;
  /** The type of the item with which the client answers this call. */
  readonly answeredBy?: string;
  /** The server answers the call itself, unless the call says `execution: 'client'`. */
  readonly isAnsweredByServer?: true;
  /** The field that a call and its answer have in common, where it is not `call_id`. */
  readonly callIdField?: 'approval_request_id';
  /** The item takes the same number of tokens whenever a model reads it. */
  readonly hasSteadyTokens?: true;
  /** Returns the fields that a model reads of the API's form. Absent: all fields. */
  readonly canonicalApi?: (item: apiItem.ApiItemFields) => Canonical;
}

const callId = z.string();
const object = z.looseObject({});
const parts = z.array(z.looseObject({ type: z.string() }));

/** Every item type of the API, by the API's name. */
export const ITEM_TYPES = {
  message: {
    role: 'message',
    takenBy: 'content',
    isPlain: true,
    idPrefix: 'msg',
    hasSteadyTokens: true,
    partsField: 'content',
    providerData: ['phase'],
    canonical: agentItem.message,
    canonicalApi: apiItem.message,
  },
  reasoning: {
    role: 'reasoning',
    takenBy: 'id',
    keepsId: true,
    idPrefix: 'rs',
    hasSteadyTokens: true,
    title: 'Reasoning',
    providerData: ['content', 'encrypted_content', 'status'],
    least: { content: z.array(object) },
    canonical: agentItem.reasoning,
  },
  compaction: {
    role: 'context',
    takenBy: 'content',
    title: 'Compaction',
    least: { encrypted_content: z.string().min(1) },
    canonical: agentItem.compaction,
  },
  function_call: {
    role: 'output',
    takenBy: 'content',
    isPlain: true,
    idPrefix: 'fc',
    answeredBy: 'function_call_output',
    hasSteadyTokens: true,
    title: 'Function call',
    titleBeforeName: 'Call of',
    providerData: [],
    least: { callId, name: z.string(), arguments: z.string() },
    canonical: agentItem.functionCall,
  },
  function_call_output: {
    sdkName: 'function_call_result',
    role: 'result',
    takenBy: 'content',
    isPlain: true,
    hasSteadyTokens: true,
    title: 'Function result',
    titleBeforeName: 'Result of',
    partsField: 'output',
    providerData: ['name'],
    least: { callId, output: z.union([z.string(), object, parts]) },
    canonical: agentItem.functionResult,
    canonicalApi: apiItem.functionOutput,
  },
  custom_tool_call: {
    role: 'output',
    takenBy: 'content',
    answeredBy: 'custom_tool_call_output',
    hasSteadyTokens: true,
  },
  custom_tool_call_output: { role: 'result', takenBy: 'content', hasSteadyTokens: true },
  computer_call: {
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    keepsId: true,
    answeredBy: 'computer_call_output',
    title: 'Computer use',
    providerData: ['pending_safety_checks'],
    least: { callId },
    canonical: agentItem.computerCall,
  },
  computer_call_output: {
    sdkName: 'computer_call_result',
    role: 'result',
    takenBy: 'content',
    title: 'Screenshot',
    providerData: ['acknowledged_safety_checks', 'status'],
    least: { callId, output: object },
    canonical: agentItem.computerResult,
    canonicalApi: apiItem.computerOutput,
  },
  shell_call: {
    role: 'output',
    takenBy: 'content',
    answeredBy: 'shell_call_output',
    title: 'Shell call',
    least: { callId, action: object },
    canonical: agentItem.shellCall,
  },
  shell_call_output: {
    role: 'result',
    takenBy: 'content',
    title: 'Shell output',
    least: { callId, output: z.array(object) },
    canonical: agentItem.shellOutput,
  },
  local_shell_call: {
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    answeredBy: 'local_shell_call_output',
  },
  local_shell_call_output: { role: 'result', takenBy: 'id' },
  apply_patch_call: {
    role: 'output',
    takenBy: 'content',
    answeredBy: 'apply_patch_call_output',
    title: 'Patch',
    least: { callId, operation: object },
    canonical: agentItem.applyPatchCall,
  },
  apply_patch_call_output: {
    role: 'result',
    takenBy: 'content',
    title: 'Result of the patch',
    least: { callId },
    canonical: agentItem.applyPatchOutput,
  },
  program: {
    role: 'output',
    takenBy: 'id',
    keepsId: true,
    title: 'Program',
    providerData: [],
    canonical: agentItem.program,
  },
  program_output: {
    role: 'result',
    takenBy: 'id',
    keepsId: true,
    title: 'Result of the program',
    providerData: [],
    canonical: agentItem.programOutput,
  },
  tool_search_call: {
    role: 'output',
    takenBy: 'id',
    answeredBy: 'tool_search_output',
    isAnsweredByServer: true,
    title: 'Tool search',
    providerData: ['call_id', 'execution'],
  },
  tool_search_output: {
    role: 'result',
    takenBy: 'id',
    title: 'Tools found',
    providerData: ['call_id', 'execution'],
    canonicalApi: apiItem.toolSearchOutput,
  },
  file_search_call: {
    formerName: 'file_search',
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    canonicalApi: apiItem.fileSearch,
  },
  web_search_call: {
    formerName: 'web_search',
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    canonicalApi: apiItem.webSearch,
  },
  code_interpreter_call: {
    formerName: 'code_interpreter',
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    canonicalApi: apiItem.codeInterpreter,
  },
  image_generation_call: {
    formerName: 'image_generation',
    role: 'output',
    takenBy: 'id',
    isMadeByServer: true,
    canonicalApi: apiItem.imageGeneration,
  },
  mcp_list_tools: { role: 'output', takenBy: 'id', isMadeByServer: true },
  mcp_approval_request: { role: 'output', takenBy: 'id', isMadeByServer: true },
  mcp_approval_response: { role: 'result', takenBy: 'content', callIdField: 'approval_request_id' },
  mcp_call: { role: 'output', takenBy: 'id', isMadeByServer: true, callIdField: 'approval_request_id' },
  additional_tools: { role: 'context', takenBy: 'id' },
  configuration_update: { role: 'context', takenBy: 'id' },
  compaction_trigger: { role: 'context', takenBy: 'id' },
  item_reference: { role: 'output', takenBy: 'id', canonicalApi: apiItem.itemReference },
} as const satisfies Readonly<Record<string, ItemType>>;

/** The roles of a message: the title for people, and the least content. */
export const MESSAGE_ROLES = {
  user: { title: 'User', least: { content: z.union([z.string(), parts]) } },
  assistant: { title: 'Assistant', least: { content: parts } },
  system: { title: 'System', least: { content: z.string() } },
} as const satisfies Readonly<Record<string, Pick<SdkType, 'title' | 'least'>>>;

/** The types in which the SDK wraps an item of the API that it has no type for. */
export const WRAPPERS = {
  hosted_tool_call: {
    title: 'Hosted tool',
    titleBeforeName: 'Hosted tool',
    keepsId: true,
    least: { name: z.string() },
  },
  unknown: { title: 'Unknown item', keepsId: true },
} as const satisfies Readonly<Record<string, SdkType>>;

const all: readonly (readonly [string, ItemType])[] = Object.entries(ITEM_TYPES);
const byName = new Map(all);
/** The types of the SDK, by the SDK's name. */
export const SDK_TYPES: ReadonlyMap<string, SdkType> = new Map<string, SdkType>([
  ...Object.entries(WRAPPERS),
  ...all.map(([name, type]) => [type.sdkName ?? name, type] as const),
]);
const sdkNames = new Map(all.map(([name, { sdkName }]) => [sdkName, name]));
const formerNames = new Map(all.map(([name, { formerName }]) => [formerName, name]));

/** A type that the table does not have: the API is newer. Its name says whether it is a result. */
function newType(name: string): ItemType {
  return { role: /_(?:output|result|response)$/.test(name) ? 'result' : 'output', takenBy: 'id' };
}

/** The type of this name in the API. */
export function itemType(name: string): ItemType {
  return byName.get(name) ?? newType(name);
}

/** The API's name of the type that has this name in the SDK. */
export function apiName(sdkName: string): string {
  return sdkNames.get(sdkName) ?? sdkName;
}

/** The API's name of a hosted tool's type, also by its former name. */
export function currentName(name: string): string {
  return formerNames.get(name) ?? name;
}
