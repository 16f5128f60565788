import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { itemDigest } from '../../src/items/digest.ts';
import { apiItemsByType, type ApiJson } from '../support/api-items.ts';
import { anyVocabulary } from '../support/content.ts';
import { agentItemsByType, anyHistory } from '../support/items.ts';
import { storedItem, withoutIncludes } from '../support/stored-item.ts';

const converter = new ItemConverter();

/** Writes items to a conversation and reads them back from its list. */
async function throughTheApi(
  items: readonly AgentInputItem[],
  existing: readonly ApiJson[] = [],
): Promise<AgentInputItem[]> {
  const held = new Map(existing.map((item) => [String(item['id']), item]));
  const forms = await converter.toApiItems(items);
  const stored = forms.map((form, index) => {
    if ('unsupported' in form) throw new Error(`item ${index}: ${form.unsupported}`);
    return withoutIncludes(storedItem(form.item, `new_${index}`, held));
  });
  return converter.toAgentItems(stored);
}

describe('an item that a user, a tool or the SDK made keeps its digest through the API', () => {
  test.each(Object.entries(agentItemsByType(anyVocabulary)))('%s', async (_type, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { minLength: 1, maxLength: 6 }), async (items) => {
        const listed = await throughTheApi(items);
        expect(listed.map((item) => itemDigest(item))).toEqual(items.map((item) => itemDigest(item)));
      }),
      { seed: 20261129, numRuns: 50 },
    );
  });
});

describe('an item that a model or the server made keeps its digest through the API', () => {
  test.each(Object.entries(apiItemsByType(anyVocabulary)))('%s', async (_type, arbitrary) => {
    const output = fc.uniqueArray(arbitrary, { minLength: 1, maxLength: 6, selector: (item) => item['id'] });
    await fc.assert(
      fc.asyncProperty(output, async (raw) => {
        const answered = await converter.toAgentItems(raw);
        const listed = await throughTheApi(answered, raw);
        expect(listed.map((item) => itemDigest(item))).toEqual(answered.map((item) => itemDigest(item)));
      }),
      { seed: 20261129, numRuns: 50 },
    );
  });
});

test('a whole history keeps its digests, one for one and in order', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, async (items) => {
      const listed = await throughTheApi(items);
      expect(listed.map((item) => itemDigest(item))).toEqual(items.map((item) => itemDigest(item)));
    }),
    { seed: 20261129, numRuns: 50 },
  );
});
