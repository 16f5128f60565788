import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';

/** A node of a syntax tree, as far as this file reads it. */
interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A declaration of the client: its members, or the type that it stands for. */
interface Declaration {
  readonly members: ReadonlyMap<string, Member>;
  readonly type: Node | undefined;
  readonly parents: readonly string[];
}

/** A member of an interface. */
export interface Member {
  readonly type: Node;
  readonly isOptional: boolean;
}

const FILES = [
  'responses/responses',
  'responses/input-tokens',
  'shared',
  'conversations/items',
  'conversations/conversations',
];

/** The names under which the files of the client know each other. */
const ALIASES = /^(?:ResponsesAPI|ConversationsAPI|ItemsAPI|InputTokensAPI|Shared)\./;

/** The most levels of objects in a sample. */
const MAX_DEPTH = 5;

/** The types of the installed `openai` client, read from its declarations. */
export class ClientTypes {
  readonly #declarations = new Map<string, Declaration>();

  constructor() {
    for (const file of FILES) {
      const url = new URL(import.meta.resolve(`openai/resources/${file}`));
      const path = fileURLToPath(url).replace(/\.(?:m?js|d\.m?ts)$/, '.d.ts');
      const { program } = parse(readFileSync(path, 'utf8'), {
        sourceType: 'module',
        plugins: [['typescript', { dts: true }]],
      });
      this.#declare(nodesIn(toNode(program)['body']), '');
    }
  }

  /** The members of an interface, with those of its parents. */
  membersOf(name: string): ReadonlyMap<string, Member> {
    const { members, parents } = this.#declaration(name);
    return new Map([...parents.flatMap((parent) => [...this.membersOf(parent)]), ...members]);
  }

  /** The texts that a type allows; of an interface those of its `type`. */
  textsOf(name: string): string[] {
    const { type } = this.#declaration(name);
    return type === undefined ? this.#texts(this.membersOf(name).get('type')?.type) : this.#texts(type);
  }

  /** The interfaces of a union, each with its name. */
  interfacesOf(name: string): string[] {
    const { type } = this.#declaration(name);
    if (type === undefined) return [name];
    return this.#choices(type).flatMap((choice) =>
      choice.type === 'TSTypeReference' ? this.interfacesOf(referenced(choice)) : [],
    );
  }

  /** Values of a type: each of its choices, and each member of its objects, at least once. */
  samplesOf(type: Node, depth = 0): unknown[] {
    switch (type.type) {
      case 'TSUnionType':
        return this.#choices(type).flatMap((choice) => this.samplesOf(choice, depth));
      case 'TSParenthesizedType':
        return this.samplesOf(toNode(type['typeAnnotation']), depth);
      case 'TSLiteralType':
        return [toNode(type['literal'])['value']];
      case 'TSStringKeyword':
      case 'TSIntersectionType':
        return ['a'];
      case 'TSNumberKeyword':
        return [1];
      case 'TSBooleanKeyword':
        return [true];
      case 'TSNullKeyword':
        return [null];
      case 'TSArrayType':
        return this.samplesOf(toNode(type['elementType']), depth).map((each) => [each]);
      case 'TSTypeReference':
        return this.#samplesOfName(type, depth);
      default:
        return [{}];
    }
  }

  #samplesOfName(type: Node, depth: number): unknown[] {
    const name = referenced(type);
    const [argument] = nodesIn(toNode(type['typeParameters'] ?? type['typeArguments'])['params']);
    if (name === 'Array') return argument ? this.samplesOf(argument, depth).map((each) => [each]) : [[]];
    const declaration = this.#declarations.get(name.replace(ALIASES, ''));
    if (!declaration) return [{}];
    if (declaration.type) return this.samplesOf(declaration.type, depth);
    return depth < MAX_DEPTH ? this.#objects(this.membersOf(name), depth + 1) : [{}];
  }

  #objects(members: ReadonlyMap<string, Member>, depth: number): object[] {
    const samples = [...members].map(([key, { type, isOptional }]) => ({
      key,
      isOptional,
      values: this.samplesOf(type, depth),
    }));
    const least = Object.fromEntries(
      samples.filter(({ isOptional }) => !isOptional).map(({ key, values }) => [key, values[0]]),
    );
    const others = samples.flatMap(({ key, isOptional, values }) =>
      values.slice(isOptional ? 0 : 1).map((value) => ({ ...least, [key]: value })),
    );
    return [least, ...others];
  }

  #choices(type: Node): Node[] {
    return type.type === 'TSUnionType' ? nodesIn(type['types']) : [type];
  }

  #texts(type: Node | undefined): string[] {
    return type ? this.samplesOf(type, MAX_DEPTH).filter((value) => typeof value === 'string') : [];
  }

  #declaration(name: string): Declaration {
    const found = this.#declarations.get(name.replace(ALIASES, ''));
    if (!found) throw new Error(`The client declares no ${name}`);
    return found;
  }

  #declare(statements: readonly Node[], prefix: string): void {
    for (const statement of statements) {
      const node = statement.type.startsWith('Export') ? toNode(statement['declaration']) : statement;
      const name = prefix + String(toNode(node['id'])['name']);
      if (node.type === 'TSModuleDeclaration')
        this.#declare(nodesIn(toNode(node['body'])['body']), `${name}.`);
      if (node.type === 'TSTypeAliasDeclaration' && !this.#declarations.has(name)) {
        const type = toNode(node['typeAnnotation']);
        this.#declarations.set(name, { members: new Map(), type, parents: [] });
      }
      if (node.type === 'TSInterfaceDeclaration') {
        const parents = nodesIn(node['extends']).map((each) => String(toNode(each['expression'])['name']));
        this.#declarations.set(name, { members: membersIn(node), type: undefined, parents });
      }
    }
  }
}

function membersIn(declaration: Node): Map<string, Member> {
  const members = nodesIn(toNode(declaration['body'])['body']).filter(
    ({ type }) => type === 'TSPropertySignature',
  );
  return new Map(
    members.map((member) => {
      const type = toNode(toNode(member['typeAnnotation'])['typeAnnotation']);
      const key = toNode(member['key']);
      return [String(key['name'] ?? key['value']), { type, isOptional: member['optional'] === true }];
    }),
  );
}

/** The name that a type refers to, such as `ResponseInputItem.Message`. */
function referenced(type: Node): string {
  const nameOf = (name: Node): string =>
    name.type === 'TSQualifiedName'
      ? `${nameOf(toNode(name['left']))}.${nameOf(toNode(name['right']))}`
      : String(name['name']);
  return nameOf(toNode(type['typeName']));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function toNode(value: unknown): Node {
  return isNode(value) ? value : { type: 'none' };
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}
