/** How the API's encrypted contents begin. */
const MARK = 'gAAAAAB';

/** Something that looks as an encrypted content does; only this simulator reads it. */
export function encryptedContent(text: string): string {
  return MARK + Buffer.from(text).toString('base64url');
}

/** The text of the simulator's own encrypted content; `undefined` for any other. */
export function decryptedContent(content: unknown): string | undefined {
  if (typeof content !== 'string' || !content.startsWith(MARK)) return undefined;
  return Buffer.from(content.slice(MARK.length), 'base64url').toString();
}
