import type { Serve } from './exchange.ts';
import type { Operation } from './operations.ts';
import { createItems, deleteItem, listItems, retrieveItem } from '../conversations/conversation-items.ts';
import {
  createConversation,
  deleteConversation,
  retrieveConversation,
  updateConversation,
} from '../conversations/conversations.ts';
import { listModels, retrieveModel } from '../models/models.ts';
import { compactResponse } from '../responses/compact-response.ts';
import { countInputTokens } from '../responses/count-input-tokens.ts';
import { createResponse } from '../responses/create-response.ts';
import {
  cancelResponse,
  deleteResponse,
  listInputItems,
  retrieveResponse,
} from '../responses/stored-responses.ts';
import { ownEntry } from '../wire/json.ts';

/** An operation and its handler. */
export interface Route {
  readonly operation: Operation;
  readonly serve: Serve;
}

/** A path, and the operations of its methods. */
interface Path {
  readonly pattern: RegExp;
  readonly methods: Readonly<Record<string, Route>>;
}

/** A path of the API; `*` stands for an ID. Fixed words are listed before IDs that could be mistaken for them. */
function path(template: string, methods: Readonly<Record<string, Route>>): Path {
  return { pattern: new RegExp(`^${template.replaceAll('*', '([^/]+)')}/?$`), methods };
}

const paths: readonly Path[] = [
  path('/conversations', { POST: { operation: 'conversations.create', serve: createConversation } }),
  path('/conversations/*', {
    GET: { operation: 'conversations.retrieve', serve: retrieveConversation },
    POST: { operation: 'conversations.update', serve: updateConversation },
    DELETE: { operation: 'conversations.delete', serve: deleteConversation },
  }),
  path('/conversations/*/items', {
    POST: { operation: 'conversations.items.create', serve: createItems },
    GET: { operation: 'conversations.items.list', serve: listItems },
  }),
  path('/conversations/*/items/*', {
    GET: { operation: 'conversations.items.retrieve', serve: retrieveItem },
    DELETE: { operation: 'conversations.items.delete', serve: deleteItem },
  }),
  path('/responses', { POST: { operation: 'responses.create', serve: createResponse } }),
  path('/responses/compact', { POST: { operation: 'responses.compact', serve: compactResponse } }),
  path('/responses/input_tokens', {
    POST: { operation: 'responses.inputTokens.count', serve: countInputTokens },
  }),
  path('/responses/*', {
    GET: { operation: 'responses.retrieve', serve: retrieveResponse },
    DELETE: { operation: 'responses.delete', serve: deleteResponse },
  }),
  path('/responses/*/cancel', { POST: { operation: 'responses.cancel', serve: cancelResponse } }),
  path('/responses/*/input_items', {
    GET: { operation: 'responses.inputItems.list', serve: listInputItems },
  }),
  path('/models', { GET: { operation: 'models.list', serve: listModels } }),
  path('/models/*', { GET: { operation: 'models.retrieve', serve: retrieveModel } }),
];

/** Where a request leads: to a route with its IDs, to a path that does not know the method, or nowhere. */
export type RouteMatch =
  | { readonly kind: 'route'; readonly route: Route; readonly params: readonly string[] }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'unknown' };

/** Finds the route of a method and a path after `/v1`. */
export function findRoute(method: string, pathname: string): RouteMatch {
  for (const { pattern, methods } of paths) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    const route = ownEntry(methods, method);
    if (!route) return { kind: 'wrong-method', allow: Object.keys(methods).join(', ') };
    return { kind: 'route', route, params: match.slice(1).map(decoded) };
  }
  return { kind: 'unknown' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
