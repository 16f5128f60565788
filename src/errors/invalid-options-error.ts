import { HybridSessionError } from './hybrid-session-error.ts';

/** An option is unknown, has the wrong type, or cannot go with another; thrown before any request. */
export class InvalidOptionsError extends HybridSessionError {
  readonly code = 'invalid_options';
  /** The option at fault, as a path: `cache.maxBytes`. */
  readonly option: string;

  /** `subject` says what could not be created; default: the session. */
  constructor(option: string, problem: string, options: ErrorOptions & { readonly subject?: string } = {}) {
    super(`Cannot create ${options.subject ?? 'the session'}: option '${option}' ${problem}`, options);
    this.option = option;
  }
}
