import type { TimelineItem } from '../index.ts';

type Item = NonNullable<TimelineItem['item']>;

/** What an item says, for people; control characters, which a terminal would obey, are left out. */
export function itemText(item: Item): string {
  const fields: Readonly<Record<string, unknown>> = { ...item };
  if (fields['type'] === 'function_call')
    return plain(`${String(fields['name'])}(${String(fields['arguments'])})`);
  const content = fields['content'] ?? fields['output'] ?? fields['providerData'] ?? '';
  if (typeof content === 'string') return plain(content);
  if (!Array.isArray(content)) return plain(textOfPart(content));
  return plain(content.map((part: unknown) => textOfPart(part)).join('\n'));
}

function textOfPart(part: unknown): string {
  if (typeof part !== 'object' || part === null) return String(part);
  const text: unknown = Reflect.get(part, 'text') ?? Reflect.get(part, 'refusal');
  if (typeof text === 'string') return text;
  const json = JSON.stringify(part);
  return json.length > 200 ? `${json.slice(0, 200)}...` : json;
}

function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is left out
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
}
