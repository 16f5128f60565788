import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { TOOL_TYPES } from '../../../mocks/requests/check-tools.ts';
import { requestFields } from '../../../mocks/requests/check-fields.ts';
import { includable } from '../../../mocks/wire/include.ts';
import { itemFields } from '../../../mocks/wire/item-fields.ts';
import { ask } from '../support.ts';
import { ClientTypes } from './client-types.ts';

const types = new ClientTypes();

const REQUESTS = {
  'responses.create': 'ResponseCreateParamsBase',
  'responses.compact': 'ResponseCompactParams',
  'responses.inputTokens.count': 'InputTokenCountParams',
} as const;

/** Input that stands for no item of its own. */
const NO_ITEMS = new Set(['item_reference', 'compaction_trigger']);

/** The fields that hold an ID, which has a form of its own. */
const IDS: Readonly<Record<string, string>> = { conversation: 'conv_1', previous_response_id: 'resp_1' };

const inputs = types
  .interfacesOf('ResponseInputItem')
  .map((name) => ({ name, type: types.textsOf(name)[0] ?? 'message' }));

/** The errors of a request whose shape is wrong. */
const SHAPE = new Set([
  'unknown_parameter',
  'invalid_value',
  'invalid_type',
  'missing_required_parameter',
  'invalid_item',
]);

/** The client lets any message have a phase; the API takes it from assistants alone. */
const PHASE_OF_USER = "Unknown parameter: 'input[1].phase'.";

/** The faults of shape that the simulator finds in requests, a line each. */
async function shapeFaults(bodies: readonly object[]): Promise<string[]> {
  const faults = new Set<string>();
  for (const body of bodies) {
    const { error } = (await ask(createSimulator(), 'POST', '/responses', body)).body;
    const { code, message } = Object.assign({ code: '', message: '' }, error);
    if (SHAPE.has(code) && message !== PHASE_OF_USER) faults.add(message);
  }
  return [...faults];
}

describe('the types of the installed client', () => {
  it.each(Object.entries(REQUESTS))(
    'the simulator knows each parameter of %s that the client has',
    (kind, name) => {
      const known: Readonly<Record<string, object>> = requestFields;
      const names = [...types.membersOf(name).keys()];
      expect(names.length).toBeGreaterThan(5);
      expect(names.filter((key) => !Object.hasOwn(known[kind] ?? {}, key))).toEqual([]);
    },
  );

  it('the simulator knows each type of item that the client has', () => {
    expect(inputs.length).toBeGreaterThan(25);
    expect(inputs.filter(({ type }) => !NO_ITEMS.has(type) && !Object.hasOwn(itemFields, type))).toEqual([]);
  });

  it('the simulator knows each type of tool that the client has', () => {
    const known = new Set<string>(TOOL_TYPES);
    const typesOfTools = types.interfacesOf('Tool').flatMap((name) => types.textsOf(name));
    expect(typesOfTools.length).toBeGreaterThan(15);
    expect(typesOfTools.filter((type) => !known.has(type))).toEqual([]);
  });

  it('the simulator knows each value of include that the client has', () => {
    expect(
      types.textsOf('ResponseIncludable').filter((each) => !includable.some((one) => one === each)),
    ).toEqual([]);
  });

  it.each(
    [...types.membersOf('ResponseCreateParamsBase')].filter(([key]) => key !== 'input' && key !== 'stream'),
  )('the simulator takes each value of %s that the client has', async (key, { type }) => {
    const values = types.samplesOf(type).map((value) => withKnownId(key, value));
    const bodies = values.map((value) => ({ model: 'gpt-6-sol', input: 'hi', [key]: value }));
    expect(bodies.length).toBeGreaterThan(0);
    expect(await shapeFaults(bodies)).toEqual([]);
  });

  it.each(inputs)('the simulator takes each field of $name that the client has', async ({ name, type }) => {
    const items = types.samplesOf({ type: 'TSTypeReference', typeName: qualified(name) });
    const bodies = items.map((item) => ({
      model: 'gpt-6-sol',
      input: [{ role: 'user', content: 'hi' }, withId(Object.assign({}, item), type)],
    }));
    expect(bodies.length).toBeGreaterThan(0);
    expect(await shapeFaults(bodies)).toEqual([]);
  });
});

/** A value of a field that holds an ID, with an ID of its kind. */
function withKnownId(key: string, value: unknown): unknown {
  const id = IDS[key];
  if (id === undefined || value === null) return value;
  return typeof value === 'string' ? id : Object.assign({}, value, { id });
}

/** An item with an ID of its type, if it has one. */
function withId(item: Record<string, unknown>, type: string): object {
  return typeof item['id'] === 'string' ? { ...item, id: `${itemFields[type]?.prefix ?? 'msg'}_1` } : item;
}

function qualified(name: string): { type: string; [field: string]: unknown } {
  const [first = '', ...rest] = name.split('.');
  let node: { type: string; [field: string]: unknown } = { type: 'Identifier', name: first };
  for (const step of rest)
    node = { type: 'TSQualifiedName', left: node, right: { type: 'Identifier', name: step } };
  return node;
}
