import type { AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { kindOf } from './canonical-form.ts';
import { itemDigest } from './digest.ts';
import { copyJson, NotJsonError } from './copy-json.ts';
import type { LedgerItem } from './ledger-record.ts';

const parts = z.array(z.looseObject({ type: z.string() }));
const callId = z.string();

/**
 * The least that makes an object an item. Deliberately loose: what a newer SDK adds to an item, or a type that it
 * invents, must not cost a turn that the model has already answered.
 */
const schemas: ReadonlyMap<string, z.ZodType> = new Map(
  Object.entries({
    'message:user': z.looseObject({ content: z.union([z.string(), parts]) }),
    'message:assistant': z.looseObject({ content: parts }),
    'message:system': z.looseObject({ content: z.string() }),
    function_call: z.looseObject({ callId, name: z.string(), arguments: z.string() }),
    function_call_result: z.looseObject({ callId, output: z.union([z.string(), z.looseObject({}), parts]) }),
    hosted_tool_call: z.looseObject({ name: z.string() }),
    computer_call: z.looseObject({ callId }),
    computer_call_result: z.looseObject({ callId, output: z.looseObject({}) }),
    shell_call: z.looseObject({ callId, action: z.looseObject({}) }),
    shell_call_output: z.looseObject({ callId, output: z.array(z.looseObject({})) }),
    apply_patch_call: z.looseObject({ callId, operation: z.looseObject({}) }),
    apply_patch_call_output: z.looseObject({ callId }),
    reasoning: z.looseObject({ content: z.array(z.looseObject({})) }),
    compaction: z.looseObject({ encrypted_content: z.string().min(1) }),
  }),
);

const itemSchema = z
  .looseObject({
    type: z.string().min(1).optional(),
    role: z.string().optional(),
    id: z.string().optional(),
    providerData: z.looseObject({}).optional(),
  })
  .superRefine((item, context) => {
    const type = item.type ?? 'message';
    const key = type === 'message' ? `message:${item.role ?? ''}` : type;
    const schema = schemas.get(key);
    if (schema === undefined && type === 'message') {
      context.addIssue({
        code: 'custom',
        path: ['role'],
        message: "must be 'user', 'assistant' or 'system'",
      });
    }
    for (const issue of schema?.safeParse(item).error?.issues ?? []) {
      context.addIssue({
        code: 'custom',
        path: issue.path,
        message: `is wrong for a ${key} (${issue.code})`,
      });
    }
  });

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
  const parsed = itemSchema.safeParse(copy);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    const problem = path === '' ? 'it is not an object' : `field '${path}' ${problemOf(issue)}`;
    throw new InvalidItemError(index, problem);
  }
  return copy as AgentInputItem;
}

/** Zod's own messages may quote what was received; only ours are passed on. */
function problemOf(issue: z.core.$ZodIssue | undefined): string {
  return issue?.code === 'custom' ? issue.message : `is wrong (${issue?.code ?? 'unknown'})`;
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
