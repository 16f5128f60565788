import { checkReasoning, checkToolPairs } from './pairing.ts';
import { resolveInput, type ResolvedInput } from './resolve-input.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { ParsedItem } from '../wire/parse-item.ts';
import type { Account } from '../world/account.ts';
import { allIds } from '../world/conversation-list.ts';
import { contextIds } from '../world/context.ts';
import { threadOf } from '../world/id-source.ts';
import type { ContextNode, ConversationRecord, ResponseRecord } from '../world/records.ts';
import type { World } from '../world/world.ts';

/** What a request continues: a conversation, a response, or nothing. */
export interface Continued {
  readonly conversation: ConversationRecord | undefined;
  readonly parent: ResponseRecord | undefined;
}

/**
 * Finds what a request continues.
 * @throws ApiError if both are named (before either is looked up), or the named one is gone.
 */
export function findContinued(
  world: World,
  account: Account,
  conversationId: string | undefined,
  previousResponseId: string | undefined,
): Continued {
  if (conversationId !== undefined && previousResponseId !== undefined) throw errors.mutuallyExclusive();
  if (conversationId !== undefined) {
    const conversation = account.conversation(conversationId);
    if (!conversation) throw errors.conversationNotFound(conversationId);
    return { conversation, parent: undefined };
  }
  if (previousResponseId === undefined) return { conversation: undefined, parent: undefined };
  const parent = liveResponse(world, account, previousResponseId);
  if (!parent || !canBeContinued(parent)) throw errors.previousResponseNotFound(previousResponseId);
  return { conversation: undefined, parent };
}

/** A stored response that has not expired. */
export function liveResponse(world: World, account: Account, id: string): ResponseRecord | undefined {
  const response = account.responses.get(id);
  if (!response) return undefined;
  return world.clock.now() - response.createdAt < world.settings.responseTtl ? response : undefined;
}

function canBeContinued(response: ResponseRecord): boolean {
  const { status, store } = response.body;
  return store === true && (status === 'completed' || status === 'incomplete');
}

/** The context a request inherits, as a node to build on. */
function inheritedNode(continued: Continued): ContextNode | undefined {
  const { conversation, parent } = continued;
  if (conversation) return { parent: undefined, ids: allIds(conversation) };
  return parent && { parent: parent.context, ids: parent.outputIds };
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
  /** Everything the model sees, oldest first. */
  readonly context: readonly SimulatorItem[];
}

/**
 * Puts the input behind what the request continues, and checks that the whole makes sense to the API.
 * @throws ApiError for IDs that are unknown or sent twice, and for tool calls and reasoning torn apart.
 */
export function resolveContext(
  account: Account,
  continued: Continued,
  parsed: readonly ParsedItem[],
  mint: (prefix: string) => string,
): InputContext {
  const inherited = inheritedNode(continued);
  const inheritedIds = contextIds(inherited);
  const { items, replayed } = resolveInput(account, parsed, 'input', mint);
  const context = Object.freeze([...account.itemsOf(inheritedIds), ...items]);
  checkToolPairs(context);
  const seen = new Set(inheritedIds);
  for (const { id } of replayed) {
    if (seen.has(id)) throw errors.duplicateItem(id);
    seen.add(id);
  }
  checkReasoning(context, (id) => account.reasoningOf(id));
  return { inherited, items, replayed, context };
}
