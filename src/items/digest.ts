import { hash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import { fieldsOf, textOf } from '../util/json.ts';
import { allFields, apiItemFields } from './canonical-api-item.ts';
import type { Canonical } from './canonical-content.ts';
import { currentName, itemType, SDK_TYPES } from './item-types.ts';

/** The version of the canonical form: digests of different versions are never compared. */
export const DIGEST_VERSION = 1;

/** The digest of an empty context. */
export const EMPTY_DIGEST: string = sha256(`agents-hybrid-session/${DIGEST_VERSION}`);

/**
 * The fields of an item that a model reads, in the one form that survives the way through the API and both SDK conversions.
 *
 * In: role, phase, text, media references, tool name, arguments, call ID, output. Out, because they change on the way
 * and no model reads them: IDs, status, annotations, log probabilities, provider data of parts, the name of a function
 * result (it comes back as its call ID).
 *
 * An item that the SDK wraps is read by the API's type: the same item is a `hosted_tool_call` when it comes from a model and
 * `unknown` when some SDK versions read it from a list.
 *
 * @returns undefined for reasoning.
 */
export function canonicalForm(item: AgentInputItem): Canonical | undefined {
  const fields = fieldsOf(item);
  const { canonical } = SDK_TYPES.get(textOf(fields['type'] ?? 'message')) ?? {};
  if (canonical !== undefined) return canonical(fields);
  const wrapped = apiItemFields(fields);
  const type = currentName(wrapped.type);
  const { canonicalApi = allFields } = itemType(type);
  return canonicalApi({ ...wrapped, type });
}

/**
 * SHA-256 of an item's canonical form, as 43 characters of base64url.
 *
 * @returns null for reasoning, which no digest covers.
 */
export function itemDigest(item: AgentInputItem): string | null {
  const form = canonicalForm(item);
  return form === undefined ? null : sha256(JSON.stringify(form));
}

/** The digest of a context that grew by one item; an item without a digest leaves it as it was. */
export function extendDigest(context: string, item: string | null): string {
  return item === null ? context : sha256(`${context}.${item}`);
}

/** The digest of a context that grew by these items. */
export function extendDigests(context: string, items: readonly { readonly digest: string | null }[]): string {
  return items.reduce((digest, item) => extendDigest(digest, item.digest), context);
}

/** SHA-256 of a text, as 43 characters of base64url. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
