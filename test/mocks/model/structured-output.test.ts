import { zodTextFormat } from 'openai/helpers/zod';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSimulator } from '../../../mocks/index.ts';
import { ZOD_CONSTRUCTS } from '../samples/zod-constructs.ts';
import { clientOf, refusalOf } from '../support.ts';

/** The constructs whose schemas the client does not send. */
const NOT_SENT = new Set([
  'string with a beginning, a middle and an end',
  'base64',
  'tuple',
  'tuple with a rest',
  'loose object',
  'object with other properties',
  'optional property',
  'impossible property',
  'record',
  'record with names',
  'record with some names',
  'record with a pattern of names',
]);

/** The constructs whose schemas the API refuses. */
const REFUSED = new Set([
  'string in small letters',
  'url',
  'cuid',
  'cuid2',
  'ulid',
  'nanoid',
  'emoji',
  'jwt',
  'e164',
  'range of addresses',
  'one of several literals',
  'any',
  'unknown',
]);

const others = Object.entries(ZOD_CONSTRUCTS).filter(([name]) => !NOT_SENT.has(name));

describe('structured output', () => {
  it.each(others.filter(([name]) => !REFUSED.has(name)))(
    'the client parses an answer in the format of a zod schema: %s',
    async (_, schema) => {
      const format = zodTextFormat(z.object({ value: schema }), 'answer');
      const { output_parsed: parsed } = await clientOf(createSimulator()).responses.parse({
        model: 'gpt-4.1',
        input: 'hi',
        text: { format },
      });
      expect(parsed).toHaveProperty('value');
    },
  );

  it.each(others.filter(([name]) => REFUSED.has(name)))(
    'the simulator refuses the format of a zod schema as the API does: %s',
    async (_, schema) => {
      const format = zodTextFormat(z.object({ value: schema }), 'answer');
      const asked = clientOf(createSimulator()).responses.create({
        model: 'gpt-4.1',
        input: 'hi',
        text: { format },
      });
      expect(await refusalOf(asked)).toMatchObject({ status: 400, code: 'invalid_json_schema' });
    },
  );
});
