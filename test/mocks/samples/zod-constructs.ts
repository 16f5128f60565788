import { z } from 'zod';

interface Tree {
  name: string;
  children: Tree[];
}

interface Link {
  next: Link | null;
}

interface Branch {
  left: Branch | string;
  right: Branch | string;
}

const tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.lazy(() => z.array(tree)) });
const link: z.ZodType<Link> = z.object({ next: z.lazy(() => z.nullable(link)) });
const branch: z.ZodType<Branch> = z.object({
  left: z.union([z.lazy(() => branch), z.string()]),
  right: z.union([z.lazy(() => branch), z.string()]),
});

interface Person {
  readonly employer: Company | null;
}

interface Company {
  readonly staff: Person[];
}

const company: z.ZodType<Company> = z.object({ staff: z.lazy(() => z.array(person).min(1)) });
const person: z.ZodType<Person> = z.object({ employer: z.lazy(() => company.nullable()) });

/** Schemas of each construct of zod that has a JSON schema. */
export const ZOD_CONSTRUCTS: Readonly<Record<string, z.ZodType>> = {
  string: z.string(),
  'string of a length': z.string().length(5),
  'string with limits': z.string().min(60).max(70),
  'string with a pattern': z.string().regex(/^[A-Z]{2}-\d{3,5}(?:x|y)?$/),
  'string with a beginning, a middle and an end': z.string().startsWith('ab').includes('cd').endsWith('ef'),
  'string in small letters': z.string().lowercase(),
  email: z.email(),
  url: z.url(),
  uuid: z.uuid(),
  'uuid of a version': z.uuidv7(),
  cuid: z.cuid(),
  cuid2: z.cuid2(),
  ulid: z.ulid(),
  nanoid: z.nanoid(),
  emoji: z.emoji(),
  base64: z.base64(),
  jwt: z.jwt(),
  e164: z.e164(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  'range of addresses': z.cidrv4(),
  'date and time': z.iso.datetime(),
  'local date and time': z.iso.datetime({ local: true }),
  date: z.iso.date(),
  time: z.iso.time(),
  duration: z.iso.duration(),
  'template literal': z.templateLiteral(['v', z.number(), '-', z.enum(['a', 'b'])]),
  number: z.number(),
  'number with limits': z.number().gt(0.2).lt(0.3),
  'positive number': z.number().positive(),
  'negative number': z.number().negative(),
  'multiple of a number': z.number().multipleOf(0.05).min(0.11),
  integer: z.int(),
  'integer with limits': z.int().min(7).max(7),
  'short integer': z.int32().lt(-5),
  boolean: z.boolean(),
  null: z.null(),
  literal: z.literal('a'),
  'one of several literals': z.literal([7, 'a', true]),
  enum: z.enum(['a', 'b']),
  array: z.array(z.string()),
  'array with limits': z.array(z.int()).min(2).max(3),
  'array with items': z.array(z.enum(['a', 'b'])).nonempty(),
  tuple: z.tuple([z.string(), z.number()]),
  'tuple with a rest': z.tuple([z.string()], z.int()),
  object: z.object({ a: z.string(), b: z.number() }),
  'strict object': z.strictObject({ a: z.string() }),
  'loose object': z.looseObject({ a: z.string() }),
  'object with other properties': z.object({ a: z.string() }).catchall(z.number()),
  'optional property': z.object({ a: z.string().optional() }),
  'impossible property': z.object({ a: z.never().optional() }),
  record: z.record(z.string(), z.number()),
  'record with names': z.record(z.enum(['a', 'b']), z.number()),
  'record with some names': z.partialRecord(z.enum(['a', 'b']), z.number()),
  'record with a pattern of names': z.record(z.string().regex(/^x_\w+$/), z.int()),
  union: z.union([z.string(), z.number()]),
  'discriminated union': z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), one: z.string() }),
    z.object({ kind: z.literal('b'), other: z.number() }),
  ]),
  intersection: z.intersection(z.object({ a: z.string() }), z.object({ b: z.number().max(0) })),
  nullable: z.nullable(z.string()),
  nullish: z.object({ a: z.string().nullish() }),
  default: z.object({ a: z.string().default('b') }),
  prefault: z.object({ a: z.string().prefault('b') }),
  catch: z.object({ a: z.int().catch(3) }),
  readonly: z.array(z.string()).readonly(),
  brand: z.string().brand('a'),
  any: z.object({ a: z.any() }),
  unknown: z.object({ a: z.unknown() }),
  described: z.object({
    a: z
      .string()
      .describe('x')
      .meta({ title: 'A', examples: ['y'] }),
  }),
  'recursive array': z.object({ tree }),
  'recursive choice': z.object({ link }),
  'recursive union': z.object({ branch }),
  'mutual recursion': z.object({ person }),
  'reused schema': z.object({ a: tree, b: tree }),
};
