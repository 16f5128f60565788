/**
 * Whether an ID can be one segment of a URL's path. The client refuses those that lead elsewhere, and half of a character
 * cannot be encoded: nothing at the API can have such an ID.
 */
export function isUrlSegment(id: string): boolean {
  return id !== '' && id !== '.' && id !== '..' && !/\p{Surrogate}/u.test(id);
}
