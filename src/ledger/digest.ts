import { hash } from 'node:crypto';
import type { AgentInputItem } from '@openai/agents';
import { canonicalForm } from './canonical-form.ts';

/** The version of the canonical form: digests of different versions are never compared. */
export const DIGEST_VERSION = 1;

/** The length of a mark: 36 bits. */
export const MARK_LENGTH = 6;

/** The digest of a context in which nothing has been said yet. */
export const EMPTY_DIGEST: string = sha256(`agents-hybrid-session/${DIGEST_VERSION}`);

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

/** The beginning of the digest of an ID or another digest: enough to know that again where it is seen. */
export function markOf(name: string): string {
  return sha256(name).slice(0, MARK_LENGTH);
}

function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
