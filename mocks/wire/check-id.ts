import { errors } from './error-catalogue.ts';

/**
 * Checks the form of an ID, which the API does before it looks the ID up.
 * @param param where the ID stands in the request.
 * @throws ApiError 400 for an ID of another kind, such as a user's name.
 */
export function checkId(param: string, id: string, prefix: string): void {
  if (!/^[\w-]*$/.test(id)) throw errors.wrongCharacters(param, id);
  if (!id.startsWith(prefix)) throw errors.wrongPrefix(param, id, prefix);
}
