import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { Operation } from '../../../mocks/index.ts';

const FILE = fileURLToPath(
  new URL('../../../../shared/openai/openapi-conversations-responses.json', import.meta.url),
);

/** What the schema calls the answer of each operation; it has no schema for the answer of `responses.delete`. */
const BODIES: Readonly<Partial<Record<Operation, string>>> = {
  'conversations.create': 'ConversationResource',
  'conversations.retrieve': 'ConversationResource',
  'conversations.update': 'ConversationResource',
  'conversations.delete': 'DeletedConversationResource',
  'conversations.items.create': 'ConversationItemList',
  'conversations.items.list': 'ConversationItemList',
  'conversations.items.retrieve': 'ConversationItem',
  'conversations.items.delete': 'ConversationResource',
  'responses.create': 'Response',
  'responses.retrieve': 'Response',
  'responses.cancel': 'Response',
  'responses.compact': 'CompactResource',
  'responses.inputItems.list': 'ResponseItemList',
  'responses.inputTokens.count': 'TokenCountsResource',
};

interface ApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, ObjectSchema>> };
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly enum?: readonly unknown[] }>>;
}

/** Whether the API's schema, which is not part of this repository, lies beside it. */
export const hasApiSchema: boolean = existsSync(FILE);

/** Checks answers against the API's own schema. */
export class ApiSchema {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  readonly #document: ApiDocument = JSON.parse(readFileSync(FILE, 'utf8'));
  readonly #validators = new Map<string, ValidateFunction>();

  constructor() {
    ajvFormats.default(this.#ajv);
    this.#ajv.addFormat('unixtime', { type: 'number', validate: Number.isInteger });
    this.#ajv.addSchema({ $id: 'api', ...this.#document });
  }

  /** What is wrong with the answer of an operation, a line each. */
  bodyFaults(operation: Operation, body: unknown): string[] {
    const name = BODIES[operation];
    return name === undefined ? [] : this.faults(name, body);
  }

  /** What is wrong with an event of a stream, a line each. */
  eventFaults(type: string, event: unknown): string[] {
    const { schemas } = this.#document.components;
    const name = Object.keys(schemas).find(
      (each) => /^Response.*Event$/.test(each) && schemas[each]?.properties?.['type']?.enum?.[0] === type,
    );
    return name === undefined ? [`no schema for the event "${type}"`] : this.faults(name, event);
  }

  /** What is wrong with a value that should fit the named schema, a line each. */
  faults(name: string, value: unknown): string[] {
    const validate = this.#validator(name);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${name}${error.instancePath} ${error.message ?? ''}`);
  }

  #validator(name: string): ValidateFunction {
    const known = this.#validators.get(name);
    if (known) return known;
    const validate = this.#ajv.compile({ $ref: `api#/components/schemas/${name}` });
    this.#validators.set(name, validate);
    return validate;
  }
}
