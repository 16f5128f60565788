import type { Profile } from './profiles/profile.ts';
import type { ProfileName } from './profiles/profile-table.ts';
import type { Pace, Respond } from './model/answer.ts';
import type { UnlinkPolicy, UnlinkPolicyName } from './unlinking.ts';
import type { Lag } from './world/conversation-list.ts';

/** How a simulator behaves. Every option has a default; times are milliseconds. */
export interface SimulatorOptions {
  /**
   * Which server it is: `openai` (default), or one that differs from it, such as `zdr`, `ignores-parent` or
   * `refuses-parent:vllm`; or the differences themselves.
   */
  profile?: ProfileName | Profile;
  /**
   * How conversations lose assistant messages: `id-replay` (default) when their IDs come back in a request's input,
   * `every-turn` at each turn, also without IDs, `none`, or a function that names the items to unlink.
   */
  unlink?: UnlinkPolicyName | UnlinkPolicy;
  /** The models that unlink: names (which cover their dated and suffixed variants) or patterns. Default gpt-5.4, gpt-5.5. */
  unlinkModels?: readonly (string | RegExp)[];
  /** Whether `input_items` lists a response's own input only (`own`, default) or everything the model saw (`inherited`). */
  inputItems?: 'own' | 'inherited';
  /** Real milliseconds that each request takes. Default 0. */
  latency?: number;
  /** The time to the first token of an answer, and its tokens a second. @default all at once */
  pace?: Pace;
  /** How long appended items stay out of a conversation's list: ms of the simulator's clock, or reads. Default 0. */
  lag?: Lag;
  /** The seed of every ID and every random fault. Default 1. */
  seed?: number;
  /** The world's clock, in ms since 1970. Default: starts at 2026-01-01 and moves 100 ms a request. */
  now?: () => number;
  /** How long a response can be retrieved and continued. Default 30 days. */
  responseTtl?: number;
  /**
   * Bounds memory: how many accounts and conversations (those last used), responses and log entries (the newest) to
   * keep, and 20 items for each of them. Default: everything is kept.
   */
  retain?: number;
  /** Answers in the place of the model; `undefined` leaves the answer to the built-in one. */
  respond?: Respond;
  /**
   * The most tokens a request's context may have: a longer one is refused, or cut with `truncation: 'auto'`. Default
   * 400,000.
   */
  contextWindow?: number;
  /** The longest request body that is read, in bytes. Default 100 MiB. */
  maxBodyBytes?: number;
  /**
   * The effect of a broken stream on its conversation: the turn is not appended (`drop-turn`, default), or appended as
   * if the stream had been read to the end (`keep-turn`). The response is stored either way.
   */
  onAbort?: 'drop-turn' | 'keep-turn';
  /**
   * Whether a field that the API does not know is refused, as the API does, or ignored: for a client that is newer than
   * the simulator. Default `refuse`.
   */
  unknownFields?: 'refuse' | 'ignore';
  /**
   * The base URL of a server for the routes that the simulator does not have (embeddings, chat, files), such as
   * `https://api.openai.com/v1`; requests go there with their own key. @default none: 404
   */
  passthrough?: string;
  /** The API keys that are let in. Default: any, each with objects of its own. */
  apiKeys?: readonly string[];
}
