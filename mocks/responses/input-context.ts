import { checkEncryptedContent, checkReasoning, checkToolPairs } from './pairing.ts';
import { resolveInput, type ResolvedInput } from './resolve-input.ts';
import { sinceCompaction } from '../model/summary.ts';
import { parentRefusals } from '../profiles/parent-refusals.ts';
import { checkId } from '../wire/check-id.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { ParsedItem } from '../wire/parse-item.ts';
import type { Account } from '../world/account.ts';
import { allIds } from '../world/conversation-list.ts';
import type { ConnectionMemory } from '../world/connection-memory.ts';
import { contextIds } from '../world/context.ts';
import { threadOf } from '../world/id-source.ts';
import type { ContextNode, ConversationRecord, ResponseRecord } from '../world/records.ts';
import type { World } from '../world/world.ts';

/** The conversation or the response that a request continues, if any. */
export interface Continued {
  readonly conversation: ConversationRecord | undefined;
  readonly parent: ResponseRecord | undefined;
  /** The items of a parent that only the connection remembers. */
  readonly remembered?: readonly SimulatorItem[];
  /** The server shows the model less than the request continues, and does not notice. */
  readonly isCut: boolean;
}

/**
 * Finds the conversation or the response that a request continues.
 * @throws ApiError if both are named (before either is looked up), or the named one is of another kind or gone.
 */
export function findContinued(
  world: World,
  account: Account,
  conversationId: string | undefined,
  previousResponseId: string | undefined,
  memory?: ConnectionMemory,
): Continued {
  if (conversationId !== undefined && previousResponseId !== undefined) throw errors.mutuallyExclusive();
  if (conversationId !== undefined) {
    checkId('conversation', conversationId, 'conv');
    const conversation = account.conversation(conversationId);
    if (!conversation) throw errors.conversationNotFound(conversationId);
    return { conversation, parent: undefined, isCut: false };
  }
  const { profile } = world.settings;
  const none = { conversation: undefined, parent: undefined };
  if (previousResponseId === undefined) return { ...none, isCut: false };
  if (profile.parent === 'ignores') return { ...none, isCut: true };
  const known = memory?.find(previousResponseId);
  if (known)
    return {
      ...none,
      parent: known.record,
      remembered: known.items,
      isCut: profile.parent === 'keeps-messages',
    };
  if (profile.parent === 'refuses') throw parentRefusals[profile.refusal](previousResponseId);
  checkId('previous_response_id', previousResponseId, 'resp');
  const parent = liveResponse(world, account, previousResponseId);
  if (!parent || !canBeContinued(parent)) throw errors.previousResponseNotFound(previousResponseId);
  return { ...none, parent, isCut: profile.parent === 'keeps-messages' };
}

/** A stored response that can be read already, and has not expired. */
export function liveResponse(world: World, account: Account, id: string): ResponseRecord | undefined {
  const response = account.responses.get(id);
  if (!response) return undefined;
  const age = world.clock.now() - response.createdAt;
  const { responseTtl, profile } = world.settings;
  return age >= profile.readableAfter && age < responseTtl ? response : undefined;
}

function canBeContinued(response: ResponseRecord): boolean {
  const { status, store } = response.body;
  return store === true && (status === 'completed' || status === 'incomplete');
}

/** The context a request inherits, as a node to build on. */
function inheritedNode(account: Account, continued: Continued): ContextNode | undefined {
  const { conversation, parent, isCut } = continued;
  if (conversation) return { parent: undefined, ids: allIds(conversation) };
  if (!parent) return undefined;
  const whole = { parent: parent.context, ids: parent.outputIds };
  if (!isCut) return whole;
  const items = continued.remembered ?? account.itemsIn(whole);
  const messages = items.filter(({ type }) => type === 'message');
  return { parent: undefined, ids: messages.map(({ id }) => id) };
}

/** The inherited items: those of the account, and those that the connection alone remembers. */
function knownItems(
  account: Account,
  { remembered }: Continued,
  ids: readonly string[],
): readonly SimulatorItem[] {
  if (remembered === undefined) return account.itemsOf(ids);
  const inherited = new Set(ids);
  return remembered.filter(({ id }) => inherited.has(id));
}

/** The thread that a request belongs to. */
export function threadFor(world: World, continued: Continued, parsed: readonly ParsedItem[]): string {
  const { conversation, parent } = continued;
  const replayed = parsed.map((item) => (item.id === undefined ? undefined : threadOf(item.id)));
  return (
    conversation?.thread ?? parent?.thread ?? replayed.find((key) => key !== undefined) ?? world.ids.thread()
  );
}

/** The input of a request and all that the model sees. */
export interface InputContext extends ResolvedInput {
  readonly inherited: ContextNode | undefined;
  /** Everything the model sees, oldest first: nothing before a compaction that a response made. */
  readonly context: readonly SimulatorItem[];
}

/**
 * Appends the input to the continued context, and checks the whole as the API does.
 * @throws ApiError for IDs that are unknown or sent twice, for encrypted content of another API, and for tool calls and
 * reasoning torn apart.
 */
export function resolveContext(
  world: World,
  account: Account,
  continued: Continued,
  parsed: readonly ParsedItem[],
  mint: (prefix: string) => string,
): InputContext {
  const inherited = inheritedNode(account, continued);
  const inheritedIds = contextIds(inherited);
  const { items, replayed } = resolveInput(world, account, parsed, 'input', mint);
  const context = Object.freeze(sinceCompaction([...knownItems(account, continued, inheritedIds), ...items]));
  const known = new Set(replayed.map(({ id }) => id));
  checkEncryptedContent(parsed.filter(({ id }) => id === undefined || !known.has(id)));
  if (!continued.isCut) checkToolPairs(context);
  const seen = new Set(inheritedIds);
  for (const { id } of replayed) {
    if (seen.has(id)) throw errors.duplicateItem(id);
    seen.add(id);
  }
  if (!continued.isCut) checkReasoning(context, (id) => account.reasoningOf(id));
  return { inherited, items, replayed, context };
}
