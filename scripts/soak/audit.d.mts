/** One call to a session, as its process told it. */
export interface SoakCall {
  readonly process: string;
  readonly kind: string;
  readonly tokens: readonly string[];
  readonly began: number;
  /** When its outcome was known, or its process died. */
  readonly ended: number;
  readonly outcome: 'done' | 'failed' | 'died';
  readonly conversationId?: string;
  readonly popped?: string;
  readonly cleared?: string;
}

/** The tokens that are wrong, by how. */
export interface SoakFindings {
  readonly doubled: string[];
  readonly returned: string[];
  readonly lost: string[];
  readonly displaced: string[];
  readonly torn: string[];
  readonly foreign: string[];
}

export function auditSession(seen: {
  readonly calls: readonly SoakCall[];
  readonly histories: readonly (readonly string[])[];
}): SoakFindings;

export function auditList(seen: {
  readonly history: readonly string[];
  readonly listed: readonly string[];
  readonly named: number;
  readonly duplicated: number;
}): { readonly unnamedGaps: number; readonly unnamedCopies: number };
