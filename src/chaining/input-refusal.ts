import type { AgentInputItem } from '@openai/agents';
import { withoutForeignFields } from '../items/foreign-fields.ts';
import { isObject } from '../util/json.ts';
import { byContent } from '../items/model-input.ts';
import { errorFacts, type Facts } from './parent-refusal.ts';
import { idOf } from '../items/read-item.ts';
import { encryptedContentOf, isReasoning, leaveOutReasoning } from '../items/reasoning.ts';

/** Causes for which a server refuses an input; each is repaired once. */
export const INPUT_CAUSES = [
  'reasoning_not_found',
  'reasoning_alone',
  'reasoning_missing',
  'encrypted_content',
  'unknown_field',
] as const;

export type InputCause = (typeof INPUT_CAUSES)[number];

/** The part of a request's input that a server refused. */
export interface InputRefusal {
  /**
   * - `reasoning_not_found`: the server does not have an item that was sent by ID.
   * - `reasoning_alone`: reasoning was sent without the item after it.
   * - `reasoning_missing`: an item was sent without its reasoning.
   * - `encrypted_content`: the server cannot decrypt reasoning.
   * - `unknown_field`: the server does not know a field of an item.
   */
  readonly cause: InputCause;
  /** The first ID in the message. */
  readonly id: string | undefined;
  /** The field in the message. */
  readonly field: string | undefined;
}

/** A pattern of an error; `code` and `message` must both match where they are set. */
interface RefusalPattern {
  readonly cause: InputRefusal['cause'];
  readonly code?: string;
  readonly message?: RegExp;
}

const ID = /['"`]([a-z]+_\w+)['"`]/;

const FIELD = /\b(?:input|items?)\[\d+\](?:\.\w+\[\d+\])*\.(\w+)/;

const PATTERNS: readonly RefusalPattern[] = [
  { cause: 'encrypted_content', code: 'invalid_encrypted_content' },
  {
    cause: 'encrypted_content',
    message:
      /encrypted[ _]content\b.*(invalid|could not be|cannot be|can't be|failed to|not (be )?(verified|decrypted))/i,
  },
  { cause: 'encrypted_content', message: /(invalid|verify|decrypt)\b.*\bencrypted[ _]content/i },
  { cause: 'reasoning_alone', message: /without its required following item/i },
  {
    cause: 'reasoning_missing',
    message: /without its required\b.*\breasoning\b|required (preceding )?['"`]?reasoning['"`]? item/i,
  },
  { cause: 'reasoning_not_found', message: /\bitem with id \S+ (was )?not found/i },
  { cause: 'reasoning_not_found', message: /\breasoning item\b.*\bnot found/i },
  { cause: 'unknown_field', code: 'unknown_parameter', message: /\binput\b/ },
  {
    cause: 'unknown_field',
    message:
      /(unknown|unrecognized|unsupported|unexpected|extra|additional) (parameter|field|argument|key|input|propert)\w*\b.*\b(input|items?)\b/i,
  },
];

/** Statuses of an invalid request; events of a stream have no status. */
const STATUSES = new Set([400, 404, 422]);

/** @returns undefined if the error does not concern reasoning or fields of the input. */
export function inputRefusal(...evidence: readonly unknown[]): InputRefusal | undefined {
  for (const facts of errorFacts(...evidence)) {
    if (facts.status !== undefined && !STATUSES.has(facts.status)) continue;
    const pattern = PATTERNS.find((known) => matches(known, facts));
    if (pattern === undefined) continue;
    return {
      cause: pattern.cause,
      id: ID.exec(facts.message)?.[1],
      field: (FIELD.exec(facts.param) ?? FIELD.exec(facts.message))?.[1],
    };
  }
  return undefined;
}

function matches({ code, message }: RefusalPattern, facts: Facts): boolean {
  return (
    (code === undefined || facts.code === code) && (message === undefined || message.test(facts.message))
  );
}

/** A repaired input. */
export interface MendedInput {
  readonly items: readonly AgentInputItem[];
  /** Removed items. */
  readonly leftOut: readonly AgentInputItem[];
  /** Items without their ID or some of their fields. */
  readonly changed: readonly AgentInputItem[];
}

/**
 * Removes the refused parts from an input. The server names only one item and gets only one more request, so all items of the
 * same kind are repaired.
 *
 * @returns undefined if the input holds no such item.
 */
export function mendInput(
  input: readonly AgentInputItem[],
  { cause, id, field }: InputRefusal,
): MendedInput | undefined {
  const mended = cause === 'unknown_field' ? withoutFields(input, field) : withoutReasoning(input, cause, id);
  return mended.leftOut.length + mended.changed.length === 0 ? undefined : mended;
}

function withoutReasoning(
  input: readonly AgentInputItem[],
  cause: InputRefusal['cause'],
  named: string | undefined,
): MendedInput {
  const isNamed = (item: AgentInputItem): boolean => named !== undefined && idOf(item) === named;
  const namesEncrypted = input.some((item) => isNamed(item) && encryptedContentOf(item) !== undefined);
  const changed: AgentInputItem[] = [];
  const { items, leftOut } = leaveOutReasoning(input, {
    isLeftOut: (item) => {
      if (!isReasoning(item)) return isNamed(item) && byContent(item) === undefined;
      if (cause === 'encrypted_content' || namesEncrypted) return true;
      return encryptedContentOf(item) === undefined;
    },
    lacksReasoning: () => true,
    withoutId: (item, isTorn) => {
      const stripped = byContent(item);
      if (stripped === undefined) return isTorn ? undefined : item;
      if (isNamed(item) || cause === 'reasoning_missing') changed.push(item);
      return stripped;
    },
  });
  return { items, leftOut, changed };
}

function withoutFields(input: readonly AgentInputItem[], field: string | undefined): MendedInput {
  const changed: AgentInputItem[] = [];
  const items = input.map((item) => {
    const own = withoutField(withoutForeignFields(item), field);
    if (own !== item) changed.push(item);
    return own;
  });
  return { items, leftOut: [], changed };
}

/** Removes a field that a provider added; the item's own fields stay. */
function withoutField(item: AgentInputItem, field: string | undefined): AgentInputItem {
  const data: unknown = item.providerData;
  if (field === undefined || !isObject(data)) return item;
  const kept = Object.entries(data).filter(
    ([key]) => key.replaceAll(/([A-Z])/g, '_$1').toLowerCase() !== field,
  );
  return kept.length === Object.keys(data).length
    ? item
    : { ...item, providerData: Object.fromEntries(kept) };
}

/** Statuses of a request that a server refuses for its size; events of a stream have no status. */
const SIZE_STATUSES = new Set<number | undefined>([undefined, 400, 413, 422]);

const TOO_LONG =
  /\bcontext[ _](window|length)\b|\bmaximum context\b|\b(prompt|input|request) is too (long|large)\b|\btoo many (input )?tokens\b/i;

/**
 * Whether a server refuses a request because its context does not fit the model.
 *
 * @param evidence the error, and the events of the stream before it.
 */
export function isTooLong(...evidence: readonly unknown[]): boolean {
  return errorFacts(...evidence).some(
    ({ status, code, message }) =>
      SIZE_STATUSES.has(status) && (code === 'context_length_exceeded' || TOO_LONG.test(message)),
  );
}

const LIMIT = />\s*(\d[\d,]*)|\bmaximum\b[^.\d]*(\d[\d,]*)/i;

/** @returns the tokens that fit the model by the words of a refusal; undefined if it does not tell. */
export function tokenLimit(...evidence: readonly unknown[]): number | undefined {
  const limits = errorFacts(...evidence).flatMap(({ message }) => {
    const [, exceeded, maximum] = LIMIT.exec(message) ?? [];
    return exceeded ?? maximum ?? [];
  });
  return limits[0] === undefined ? undefined : Number(limits[0].replaceAll(',', ''));
}

const COMPACTION =
  /\bcompaction\b.*\b(not supported|unsupported|unknown|invalid)\b|\b(unsupported|unknown|invalid)\b.*\bcompaction\b/i;

/**
 * Whether a model cannot read a compaction in the input: another server or account made it, or the model takes none.
 *
 * @param evidence the error, and the events of the stream before it.
 */
export function isAboutCompaction(
  input: string | readonly AgentInputItem[],
  ...evidence: readonly unknown[]
): boolean {
  if (typeof input === 'string' || !input.some(({ type }) => type === 'compaction')) return false;
  if (errorFacts(...evidence).some(({ message }) => COMPACTION.test(message))) return true;
  const refusal = inputRefusal(...evidence);
  if (refusal?.cause !== 'encrypted_content') return false;
  const named = input.find((item) => refusal.id !== undefined && idOf(item) === refusal.id);
  return named === undefined ? !input.some((item) => isReasoning(item)) : named.type === 'compaction';
}
