import type { ParentRefusalName } from './parent-refusals.ts';
import type { MissingRouteName } from './missing-routes.ts';

/**
 * How a server differs from api.openai.com; an absent field means no difference. Times are ms of the simulator's clock.
 */
export interface Profile {
  /** Whether responses are stored. `false`: the organisation keeps no data (ZDR), also with `store: true`. */
  stores?: boolean;
  /**
   * The effect of `previous_response_id`: the server `continues` as the API does, `ignores` the field and shows the
   * model the request's own input alone, `keeps-messages` and drops the tool calls of the parent, or `refuses`.
   */
  parent?: 'continues' | 'ignores' | 'keeps-messages' | 'refuses';
  /** In which words a parent is refused. */
  refusal?: ParentRefusalName;
  /** The `previous_response_id` of an answer: the ID of the request, `null`, or no field. */
  echo?: 'kept' | 'null' | 'absent';
  /** Whether the client is given other IDs of responses than the server behind the gateway knows. */
  rewritesIds?: boolean;
  /** How long a response can be neither retrieved nor continued after it was made. */
  readableAfter?: number;
  /** How long a stored reasoning item can be sent by its ID. */
  reasoningTtl?: number;
  /** How `/conversations` is answered where there is no such route; `served`: there is. */
  conversations?: 'served' | MissingRouteName;
}

/** A profile with every default filled in. */
export type ResolvedProfile = Readonly<Required<Profile>>;

/** The API itself. */
export const OPENAI: ResolvedProfile = {
  stores: true,
  parent: 'continues',
  refusal: 'openai',
  echo: 'kept',
  rewritesIds: false,
  readableAfter: 0,
  reasoningTtl: Number.POSITIVE_INFINITY,
  conversations: 'served',
};
