import { sampleOf } from '../../../mocks/samples/sample.ts';
import { itemFields } from '../../../mocks/wire/item-fields.ts';
import type { ApiSchema } from './api-schema.ts';

/** An item as a client sends it. */
export type InputItem = Readonly<Record<string, unknown>>;

/** Input that stands for no item of its own. */
const NO_ITEMS = new Set(['compaction_trigger', 'item_reference']);

/** An item of each form that the schema lets a request have: with all fields, and with the required ones alone. */
export function inputVariants(schema: ApiSchema): InputItem[] {
  return schema
    .inputForms()
    .flatMap(({ form, required }, index) => {
      const whole: InputItem = Object.assign({}, sampleOf(form, 'a'));
      const least = Object.entries(whole).filter(([key]) => key === 'type' || required.includes(key));
      return [accepted(whole, `${index}a`), accepted(Object.fromEntries(least), `${index}b`)];
    })
    .filter(({ type }) => !NO_ITEMS.has(String(type)));
}

/** The item as the API takes it, with an ID of its type. */
function accepted(item: InputItem, number: string): InputItem {
  const { request_id: _undescribed, phase, ...rest } = item;
  const prefix = itemFields[String(item['type'])]?.prefix ?? 'msg';
  return {
    ...rest,
    ...(item['role'] === 'assistant' && phase !== undefined ? { phase } : {}),
    // The schema requires the field without describing it.
    ...(item['call_id'] === null ? { call_id: 'call_1' } : {}),
    // The schema takes `in_progress`, and lists no output with it.
    ...(item['type'] === 'computer_call_output' ? { status: 'completed' } : {}),
    ...(item['id'] === undefined ? {} : { id: `${prefix}_schemavariant${number}` }),
  };
}

/** Whether a client may write the item without an ID. */
export function isWritable({ id, type, encrypted_content: content }: InputItem): boolean {
  if (type === 'reasoning' && content === undefined) return false;
  return id === undefined || itemFields[String(type)]?.required.includes('id') !== true;
}

/** Whether an item needs content that only the API can make. */
export function isEncrypted({ type }: InputItem): boolean {
  return type === 'reasoning' || type === 'compaction';
}
