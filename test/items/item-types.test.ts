import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { answeredBy, itemFields } from '../../mocks/wire/item-fields.ts';
import { apiName, ITEM_TYPES, itemType, type ItemType } from '../../src/items/item-types.ts';
import { ApiSchema, hasApiSchema, type ItemSchema } from '../mocks/schema/api-schema.ts';
import { apiItemsByType } from '../support/api-items.ts';
import { smallVocabulary } from '../support/content.ts';
import { agentItemsByType } from '../support/items.ts';

/** The types of the installed client: tsc fails here for a type without an entry. */
const entries: Readonly<Record<NonNullable<OpenAI.Responses.ResponseInputItem['type']>, ItemType>> =
  ITEM_TYPES;

const types = Object.entries<ItemType>(entries);

/** Types that the installed client has and the schema file does not have yet. */
const NEWER_THAN_SCHEMA = ['configuration_update'];

/** Types that the simulator does not store. */
const NOT_SIMULATED = new Set(['item_reference', 'compaction_trigger']);

const isSimulated = (name: string): boolean => !NOT_SIMULATED.has(name);

/** Whether the simulator wants an ID of each item of the type. */
const wantsId = (name: string): boolean => itemFields[name]?.required.includes('id') === true;

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();

const namesWhere = (isSo: (type: ItemType, name: string) => boolean): string[] =>
  sorted(types.filter(([name, type]) => isSo(type, name)).map(([name]) => name));

/** The fields of the API that an entry names. */
const fieldsOf = ({ providerData = [], partsField, callIdField, ...type }: ItemType): string[] => [
  ...providerData,
  ...[partsField, callIdField].filter((field) => field !== undefined),
  ...(type.answeredBy === undefined ? [] : ['call_id']),
  ...(type.isAnsweredByServer ? ['execution'] : []),
];

describe.skipIf(!hasApiSchema)('the table of item types and the schema of the API', () => {
  const schema = hasApiSchema ? new ApiSchema() : undefined;
  const input = schema?.itemSchemas('InputItem') ?? [];
  const output = schema?.itemSchemas('OutputItem') ?? [];
  const formsOf = (name: string): ItemSchema[] => input.filter(({ type }) => type === name);
  const needsId = (name: string): boolean => formsOf(name).every(({ required }) => required.includes('id'));

  test('the table has an entry for each type of the schema, and no other', () => {
    const inSchema = [...input, ...output].map(({ type }) => type);
    expect(inSchema.filter((name) => NEWER_THAN_SCHEMA.includes(name))).toEqual([]);
    expect(sorted(types.map(([name]) => name))).toEqual(sorted([...inSchema, ...NEWER_THAN_SCHEMA]));
  });

  test('a response can return each type that a model makes', () => {
    const returned = new Set(output.map(({ type }) => type));
    const made = namesWhere(({ role }, name) => role === 'output' && !returned.has(name));
    expect(made).toEqual(['item_reference']);
  });

  test('the schema wants an ID of each type that only the server makes', () => {
    expect(namesWhere(({ isMadeByServer }, name) => isMadeByServer === true && !needsId(name))).toEqual([]);
  });

  test('the schema wants no ID of a type that the API takes by its content', () => {
    expect(namesWhere(({ takenBy }, name) => takenBy === 'content' && needsId(name))).toEqual([]);
  });

  test.each(types)('the schema of %s has each field that the table names', (name, type) => {
    const known = new Set(formsOf(name).flatMap(({ fields, required }) => [...fields, ...required]));
    expect(fieldsOf(type).filter((field) => !known.has(field))).toEqual([]);
  });
});

describe('the table of item types', () => {
  test('each call is answered by a result', () => {
    const answers = namesWhere(({ answeredBy }) => answeredBy !== undefined).map(
      (name) => itemType(itemType(name).answeredBy ?? '').role,
    );
    expect(new Set(answers)).toEqual(new Set(['result']));
  });

  test('the generators make items of each type that the API stores', () => {
    const generated = { ...apiItemsByType(smallVocabulary), ...agentItemsByType(smallVocabulary) };
    const made = new Set(Object.keys(generated).map((kind) => apiName(kind.split(':', 1)[0] ?? '')));
    expect(namesWhere((_type, name) => !made.has(name))).toEqual(['compaction_trigger', 'item_reference']);
  });

  test('each name stands for one type', () => {
    const names = types.flatMap(([name, { sdkName, formerName }]) => [name, sdkName ?? [], formerName ?? []]);
    expect(sorted(names.flat())).toEqual(names.flat().toSorted());
  });
});

describe('the table of item types and the simulator', () => {
  test('the simulator has fields for each type that it stores', () => {
    expect(sorted(Object.keys(itemFields))).toEqual(namesWhere((_type, name) => isSimulated(name)));
  });

  test('the simulator wants an ID of each type that only the server makes', () => {
    expect(namesWhere(({ isMadeByServer }, name) => isMadeByServer === true && !wantsId(name))).toEqual([]);
  });

  test('the simulator wants no ID of a type that the API takes by its content', () => {
    expect(namesWhere(({ takenBy }, name) => takenBy === 'content' && wantsId(name))).toEqual([]);
  });

  test('the simulator begins IDs like the API', () => {
    const other = namesWhere(
      ({ idPrefix }, name) => idPrefix !== undefined && itemFields[name]?.prefix !== idPrefix,
    );
    expect(other).toEqual([]);
  });

  test.each(Object.entries(itemFields))(
    'the simulator takes each field of %s that the table names',
    (name, fields) => {
      const known = new Set([...fields.required, ...fields.optional]);
      expect(fieldsOf(itemType(name)).filter((field) => !known.has(field))).toEqual([]);
    },
  );

  test.each(Object.entries(answeredBy))('the simulator wants an answer to %s of type %s', (name, answer) => {
    expect(itemType(name).answeredBy).toBe(answer);
  });
});
