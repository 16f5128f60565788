import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { exactJson, isObject, stableJson } from '../../src/util/json.ts';
import type { ApiJson } from '../support/api-items.ts';
import { smallVocabulary } from '../support/content.ts';
import { agentItemsByType } from '../support/items.ts';
import { storedItem } from '../support/stored-item.ts';

const converter = new ItemConverter();

/** What a model reads of an item, told by what the SDK sends of it. */
function read(stored: ApiJson): string {
  const { id: _id, status, ...item } = stored;
  const shown: Record<string, unknown> = { ...item };
  if (shown['type'] === 'apply_patch_call_output') shown['status'] = status;
  if (shown['type'] === 'computer_call') {
    shown['actions'] ??= [shown['action']];
    delete shown['action'];
  }
  if (isObject(shown['caller']) && shown['caller']['type'] === 'direct') delete shown['caller'];
  if (Array.isArray(shown['content']))
    shown['content'] = shown['content'].map((part: object) => unannotated(part));
  const args = shown['type'] === 'tool_search_call' ? exactJson(shown['arguments']) : '';
  const whole = new Set(shown['type'] === 'function_call_output' ? ['output'] : ['content', 'arguments']);
  const said = Object.entries(shown).filter(
    ([key, value]) => whole.has(key) || (value !== '' && !(Array.isArray(value) && value.length === 0)),
  );
  return args + stableJson(Object.fromEntries(said));
}

function unannotated(part: object): object {
  return { ...part, annotations: undefined, logprobs: undefined };
}

const types = Object.entries(agentItemsByType(smallVocabulary)).filter(
  ([type]) => !type.startsWith('reasoning'),
);

describe('digests are equal exactly where what the SDK sends is', () => {
  test.each(types)('%s', async (_type, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { minLength: 40, maxLength: 60 }), async (items) => {
        const forms = await converter.toApiItems(items);
        const digestOf = new Map<string, string | null>();
        const readOf = new Map<string | null, string>();
        for (const [index, form] of forms.entries()) {
          if ('unsupported' in form) throw new Error(form.unsupported);
          const item = items[index];
          const text = read(storedItem(form.item, 'new', new Map()));
          const digest = item === undefined ? null : itemDigest(item);
          expect({ text, digest: digestOf.get(text) ?? digest }).toEqual({ text, digest });
          expect(readOf.get(digest) ?? text).toBe(text);
          digestOf.set(text, digest);
          readOf.set(digest, text);
        }
      }),
      { seed: 20261129, numRuns: 10 },
    );
  });
});
