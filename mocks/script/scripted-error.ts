import { ApiError } from '../wire/api-error.ts';

/** An error that a script gives in the place of an answer: its status is that of the request, also of a stream. */
export class ScriptedError extends ApiError {}
