import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { Operation } from '../../../mocks/index.ts';

const FILE = fileURLToPath(
  new URL('../../../../shared/openai/openapi-conversations-responses.json', import.meta.url),
);

/** The schema's name for the answer of each operation; it has none for `responses.delete` and the models. */
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
  readonly $ref?: string;
  readonly oneOf?: readonly ObjectSchema[];
  readonly anyOf?: readonly ObjectSchema[];
  readonly allOf?: readonly ObjectSchema[];
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
}

/** One form of an item in the schema. */
export interface ItemSchema {
  readonly type: string;
  readonly required: readonly string[];
  readonly fields: readonly string[];
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

  /** The faults in the answer of an operation, a line each. */
  bodyFaults(operation: Operation, body: unknown): string[] {
    const name = BODIES[operation];
    return name === undefined ? [] : this.faults(name, body);
  }

  /** The faults in an event of a stream, a line each. */
  eventFaults(type: string, event: unknown): string[] {
    const { schemas } = this.#document.components;
    const name = Object.keys(schemas).find(
      (each) => /^Response.*Event$/.test(each) && schemas[each]?.properties?.['type']?.enum?.[0] === type,
    );
    return name === undefined ? [`no schema for the event "${type}"`] : this.faults(name, event);
  }

  /** The faults in a value that should fit the named schema, a line each. */
  faults(name: string, value: unknown): string[] {
    const validate = this.#validator(name);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${name}${error.instancePath} ${error.message ?? ''}`);
  }

  /** The schemas of the items that a request may hold, each with all that it refers to, and with its required fields. */
  inputForms(): { form: object; required: readonly string[] }[] {
    return this.#partsOf({ $ref: '#/components/schemas/InputItem' })
      .filter(({ properties }) => properties)
      .map((part) => ({ form: { ...part, ...this.#document }, required: part.required ?? [] }));
  }

  /** The forms of an item: of one that a request may hold, or of one that a response may return. */
  itemSchemas(name: 'InputItem' | 'OutputItem'): ItemSchema[] {
    return this.#partsOf({ $ref: `#/components/schemas/${name}` }).flatMap(
      ({ properties, required = [] }) => {
        const { type: { enum: own, anyOf = [] } = {} } = properties ?? {};
        const [type] = own ?? anyOf[0]?.enum ?? [];
        return typeof type === 'string' ? [{ type, required, fields: Object.keys(properties ?? {}) }] : [];
      },
    );
  }

  /** A schema and all schemas that it consists of. */
  #partsOf(schema: ObjectSchema): ObjectSchema[] {
    const target = this.#document.components.schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;
    const { oneOf = [], anyOf = [], allOf = [] } = target;
    return [target, ...[...oneOf, ...anyOf, ...allOf].flatMap((part) => this.#partsOf(part))];
  }

  #validator(name: string): ValidateFunction {
    const known = this.#validators.get(name);
    if (known) return known;
    const validate = this.#ajv.compile({ $ref: `api#/components/schemas/${name}` });
    this.#validators.set(name, validate);
    return validate;
  }
}
