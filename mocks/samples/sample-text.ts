import { fits } from './fits.ts';
import { patternText } from './pattern-text.ts';
import { numberOf, patternsOf } from './schema.ts';
import { type JsonObject, ownEntry } from '../wire/json.ts';

/** Texts of each format; of several, the first that fits the other rules. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  'date-time': ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00'],
  date: ['2026-01-01'],
  time: ['00:00:00Z', '00:00:00'],
  duration: ['P1D'],
  email: ['someone@example.com'],
  hostname: ['example.com'],
  ipv4: ['192.0.2.1'],
  ipv6: ['2001:db8::1'],
  cidrv4: ['192.0.2.0/24'],
  cidrv6: ['2001:db8::/32'],
  uri: ['https://example.com/'],
  url: ['https://example.com/'],
  'uri-reference': ['/'],
  'json-pointer': ['/a'],
  regex: ['a'],
  uuid: ['00000000-0000-4000-8000-000000000000'],
  base64: ['YWE='],
  base64url: ['YWE'],
  emoji: ['🙂'],
  jwt: ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.YWE'],
  e164: ['+14155550100'],
};

/** How many times a pattern is read, with more repetitions each time, and with each of so many alternatives. */
const MAX_MORE = 40;
const MAX_CHOICES = 4;

/**
 * A text that fits a schema.
 * @param text the text that is taken where any will do.
 * @param variant the number of the text among texts that have to differ.
 */
export function sampleText(schema: JsonObject, text: string, variant: number): string {
  const candidates = textsFor(schema, variant === 0 ? text : `${variant + 1} ${text}`, variant);
  let first: string | undefined;
  for (const candidate of candidates) {
    if (fits(candidate, schema, schema)) return candidate;
    first ??= candidate;
  }
  return first ?? text;
}

function* textsFor(schema: JsonObject, text: string, variant: number): Generator<string> {
  const { format } = schema;
  const known = typeof format === 'string' ? ownEntry(FORMATS, format) : undefined;
  if (known) yield* known;
  yield sized(text, schema);
  const patterns = patternsOf(schema);
  for (let choice = 0; choice < MAX_CHOICES; choice += 1) {
    for (let more = 0; more <= MAX_MORE; more += 1) {
      const made = patterns.map((pattern) => patternText(pattern, { more, choice, variant }));
      for (const each of made.length > 1 ? [...made, made.join('')] : made) {
        yield each;
        yield sized(each, schema);
      }
    }
  }
}

/** A text of the length that a schema asks for. */
function sized(text: string, schema: JsonObject): string {
  const least = numberOf(schema, 'minLength', 0);
  const most = numberOf(schema, 'maxLength', Infinity);
  const characters = Array.from(text);
  while (characters.length < least) characters.push('.');
  return characters.slice(0, most).join('');
}
