import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { RecordedBody } from './recorded-body.ts';
import { isJsonObject } from '../wire/json.ts';

/** A request, without the parts that differ from call to call: headers, the key, the order of fields. */
export interface CanonicalRequest {
  readonly method: string;
  /** The path after `/v1`. */
  readonly path: string;
  readonly query: string;
  readonly body: RecordedBody;
}

/** A request and its answer: one line of the file. */
export interface Recording {
  readonly request: CanonicalRequest;
  readonly status: number;
  readonly contentType: string;
  readonly answer: RecordedBody;
}

/** The recordings of a file. Equal requests are recorded in order: the second one gets the second answer. */
export class Recordings {
  readonly #file: string;
  readonly #recorded = new Map<string, Recording[]>();
  readonly #asked = new Map<string, number>();

  /**
   * @param isNew whether the file may be missing.
   * @throws Error naming the file, and the line that cannot be read.
   */
  constructor(file: string, isNew: boolean) {
    this.#file = file;
    for (const recording of readLines(file, isNew)) this.#keep(recording);
  }

  /** The answer to this request, counting how often it came; `undefined` if there is none. */
  take(request: CanonicalRequest): Recording | undefined {
    const key = keyOf(request);
    const count = this.#asked.get(key) ?? 0;
    this.#asked.set(key, count + 1);
    return this.#recorded.get(key)?.[count];
  }

  /** Forgets that a request came: it got no answer worth keeping. */
  untake(request: CanonicalRequest): void {
    const key = keyOf(request);
    this.#asked.set(key, (this.#asked.get(key) ?? 1) - 1);
  }

  /** Adds a recording to the end of the file. */
  add(recording: Recording): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    appendFileSync(this.#file, `${JSON.stringify(recording)}\n`);
    this.#keep(recording);
  }

  /** The reason why there is no answer to a request, without its content. */
  describeMiss(request: CanonicalRequest): string {
    const what = `${request.method} ${request.path}`;
    const times = this.#recorded.get(keyOf(request))?.length;
    const file = basename(this.#file);
    if (times !== undefined) return `${file} has ${times} of this ${what}, and it came once more`;
    const near = [...this.#recorded.values()]
      .flatMap(([first]) => (first === undefined ? [] : [first.request]))
      .filter(({ method, path }) => method === request.method && path === request.path)
      .map((other) => differences(other, request))
      .toSorted((one, other) => one.length - other.length)[0];
    return near === undefined
      ? `${file} has no ${what}`
      : `${file} has no such ${what}; the nearest one differs in ${near.join(', ')}`;
  }

  #keep(recording: Recording): void {
    const key = keyOf(recording.request);
    this.#recorded.set(key, [...(this.#recorded.get(key) ?? []), recording]);
  }
}

function readLines(file: string, isNew: boolean): Recording[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
    if (!isMissing || !isNew)
      throw new Error(`Cannot read the recordings ${file}${isMissing ? ': there is no such file' : ''}`, {
        cause: error,
      });
  }
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const recording = recordingIn(line);
    if (recording === undefined)
      throw new Error(`Cannot read the recordings ${file}: line ${index + 1} is no recording`);
    return [recording];
  });
}

function recordingIn(line: string): Recording | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isRecording(value) ? value : undefined;
}

function isRecording(value: unknown): value is Recording {
  if (!isJsonObject(value) || !isJsonObject(value['request'])) return false;
  const { request, status, contentType, answer } = value;
  const texts = [request['method'], request['path'], request['query'], contentType];
  return (
    texts.every((each) => typeof each === 'string') &&
    isBody(request['body']) &&
    isBody(answer) &&
    isStatus(status)
  );
}

function isStatus(value: unknown): boolean {
  return typeof value === 'number' && value >= 200 && value <= 599;
}

function isBody(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  return 'json' in value || typeof value['text'] === 'string' || typeof value['base64'] === 'string';
}

function keyOf(request: CanonicalRequest): string {
  return JSON.stringify(sorted(request));
}

/** A JSON value with the fields of each object in order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}

/** The names of the parts in which two requests of one path differ. */
function differences(one: CanonicalRequest, other: CanonicalRequest): string[] {
  const [left, right] = [fieldsOf(one.body), fieldsOf(other.body)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const differing = names.filter(
    (name) => JSON.stringify(sorted(left[name])) !== JSON.stringify(sorted(right[name])),
  );
  return [...(one.query === other.query ? [] : ['the query']), ...differing];
}

function fieldsOf(body: RecordedBody): Record<string, unknown> {
  return 'json' in body && isJsonObject(body.json) ? body.json : { 'the body': body };
}
