/**
 * The reason for which a request was chained or replayed.
 *
 * - `extends`: a recorded response ends a prefix of the context, and the rest is sent. The only reason to chain.
 * - `mode`: the session is not in mode `chain`.
 * - `caller_set`: the caller set `previousResponseId` or `conversationId`.
 * - `prompt`: a prompt template adds its own messages to every request.
 * - `unsupported_model`: the model does not speak the Responses API.
 * - `no_parent`: no response with a known context is recorded yet.
 * - `diverged`: no recorded response ends any prefix of this context.
 * - `nothing_new`: a recorded response ends the whole context, so nothing is left to send.
 * - `not_stored`: the response was made with `store: false`.
 * - `expired`: the response, or one of its ancestors, is older than `responseTtl`.
 * - `parent_refused`: the server refused to continue from the response.
 * - `other_server`: another server or account made the response, or its server is unknown.
 * - `server_paused`: the server recently ignored or refused its own new responses; chaining resumes later.
 * - `unanswered_tool_call`: the context ends with calls whose outputs are not in the rest.
 * - `sent_by_id`: the rest holds an item that the API only takes by its ID, such as a hosted tool's call.
 * - `compacted`: the request was sent again with another beginning: a compaction, because it was too long, or the whole history,
 *   because the model could not read a compaction.
 * - `ledger_unavailable`: the ledger could not be read.
 *
 * @example
 * ```ts
 * const { reasons } = collector.stats().requests;
 * console.log(reasons.extends, reasons.diverged);
 * ```
 */
export type PlanReason =
  | 'extends'
  | 'mode'
  | 'caller_set'
  | 'prompt'
  | 'unsupported_model'
  | 'no_parent'
  | 'diverged'
  | 'nothing_new'
  | 'not_stored'
  | 'expired'
  | 'parent_refused'
  | 'other_server'
  | 'server_paused'
  | 'unanswered_tool_call'
  | 'sent_by_id'
  | 'compacted'
  | 'ledger_unavailable';
