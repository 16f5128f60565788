import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { kindOf } from './canonical-form.ts';
import { itemDigest } from './digest.ts';
import { copyJson, NotJsonError } from './copy-json.ts';
import { isObject, textOf } from './json.ts';
import type { LedgerItem } from './ledger-record.ts';
import { parseSoon } from './parse-soon.ts';

const parts = z.array(z.looseObject({ type: z.string() }));
const callId = z.string();

/** The fields that an item of any type may have. */
const common = {
  id: z.string().optional(),
  type: z.string().min(1).optional(),
  role: z.string().optional(),
  providerData: z.looseObject({}).optional(),
};

/** A schema for values that are items of a type. */
function schemaOf(fields: z.ZodRawShape = {}): z.ZodType {
  return z.looseObject({ ...common, ...fields });
}

/**
 * The least that makes an object an item, by type and role. Deliberately loose: what a newer SDK adds to an item, or a type
 * that it invents, must not cost a turn that the model has already answered.
 */
const schemas: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries({
    'message:user': schemaOf({ content: z.union([z.string(), parts]) }),
    'message:assistant': schemaOf({ content: parts }),
    'message:system': schemaOf({ content: z.string() }),
    function_call: schemaOf({ callId, name: z.string(), arguments: z.string() }),
    function_call_result: schemaOf({ callId, output: z.union([z.string(), z.looseObject({}), parts]) }),
    hosted_tool_call: schemaOf({ name: z.string() }),
    computer_call: schemaOf({ callId }),
    computer_call_result: schemaOf({ callId, output: z.looseObject({}) }),
    shell_call: schemaOf({ callId, action: z.looseObject({}) }),
    shell_call_output: schemaOf({ callId, output: z.array(z.looseObject({})) }),
    apply_patch_call: schemaOf({ callId, operation: z.looseObject({}) }),
    apply_patch_call_output: schemaOf({ callId }),
    reasoning: schemaOf({ content: z.array(z.looseObject({})) }),
    compaction: schemaOf({ encrypted_content: z.string().min(1) }),
  }),
);
const anyItem = schemaOf();
/**
 * Copies of the given items, in the form in which they can be stored: plain JSON, bytes as data URLs as the SDK stores them.
 *
 * @throws InvalidItemError naming the first value that is not an item.
 */
export function parseAgentItems(values: unknown): AgentInputItem[] {
  if (!Array.isArray(values)) throw new InvalidItemError(0, 'expected an array of items');
  return values.map((value: unknown, index) => parseAgentItem(value, index));
}

function parseAgentItem(value: unknown, index: number): AgentInputItem {
  let copy: unknown;
  try {
    copy = copyJson(value);
  } catch (error) {
    throw new InvalidItemError(
      index,
      error instanceof NotJsonError ? error.message : 'it cannot be written as JSON',
    );
  }
  const problem = problemWith(copy);
  if (problem !== undefined) throw new InvalidItemError(index, problem);
  return copy as AgentInputItem;
}

/** Why a value is no item. Zod's own messages may quote what was received: they are not passed on. */
function problemWith(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  const { type = 'message', role } = value;
  const key = type === 'message' ? `message:${textOf(role)}` : textOf(type);
  const schema = schemas.get(key);
  const [issue] = parseSoon(schema ?? anyItem, value).error?.issues ?? [];
  if (issue !== undefined) {
    const [field = ''] = issue.path;
    const wanted = Object.hasOwn(common, field) ? '' : ` for a ${key}`;
    return `field '${issue.path.join('.')}' is wrong${wanted} (${issue.code})`;
  }
  const isMessage = schema === undefined && type === 'message';
  return isMessage ? "field 'role' must be 'user', 'assistant' or 'system'" : undefined;
}

/** An item as a record holds it. */
export function ledgerItem(item: AgentInputItem, keepContent: boolean): LedgerItem {
  const id = 'id' in item ? item.id : undefined;
  return {
    digest: itemDigest(item),
    kind: kindOf(item),
    ...(typeof id === 'string' ? { id } : {}),
    ...(keepContent ? { item } : {}),
  };
}
