import { createHash } from 'node:crypto';
import {
  protocol,
  type AgentInputItem,
  type SessionHistoryTransaction,
  type SessionHistoryTransactionArgs,
} from '@openai/agents';
import { HistoryTransactionError, InvalidItemError } from '../errors/session.ts';
import { parseAgentItems, readArray } from '../items/parse-item.ts';
import { isObject, stableJson, type JsonObject } from '../util/json.ts';
import { isPlainData } from '../util/plain-data.ts';

/** A valid transaction. Its digest differs from that of another transaction with the same ID. */
export interface ParsedTransaction {
  readonly operation: { readonly id: string; readonly digest: string };
  readonly transaction: SessionHistoryTransaction;
}

/**
 * Accepts the same transactions as the SDK's own session.
 *
 * @throws HistoryTransactionError if the arguments are invalid.
 * @throws InvalidItemError if an item is invalid.
 */
export function parseTransaction(args: SessionHistoryTransactionArgs): ParsedTransaction {
  const { operationId: id, transaction: given } = readArguments(args);
  if (typeof id !== 'string' || id.trim() === '') {
    throw new HistoryTransactionError(
      typeof id === 'string' ? id : typeof id,
      'invalid',
      'operationId must be a non-empty string',
    );
  }
  const transaction = parse(id, given);
  const digest = createHash('sha256').update(stableJson(transaction)).digest('base64url');
  return { operation: { id, digest }, transaction };
}

function parse(id: string, given: unknown): SessionHistoryTransaction {
  const { type, items, expectedSuffix, replacement } = fieldsOf(given);
  let transaction: SessionHistoryTransaction;
  if (type === 'append_items') {
    transaction = { type, items: parseItems(items) };
  } else if (type === 'replace_suffix') {
    transaction = {
      type,
      expectedSuffix: parseItems(expectedSuffix),
      replacement: parseItems(replacement),
    };
  } else {
    throw new HistoryTransactionError(id, 'invalid', "type must be 'append_items' or 'replace_suffix'");
  }
  const fields = Object.keys(fieldsOf(given)).length;
  if (!isPlainData(given) || fields !== Object.keys(transaction).length)
    throw new HistoryTransactionError(id, 'invalid', 'it holds more than items and its type');
  return transaction;
}

/** @throws InvalidItemError also for items that could be stored, but that the SDK's schema rejects. */
function parseItems(values: unknown): AgentInputItem[] {
  const items = parseAgentItems(values);
  readArray(values, 'expected an array of items', (value, index) => {
    if (!isPlainData(value))
      throw new InvalidItemError(index, 'it is not plain data: objects, arrays, text, numbers and bytes');
    if (!protocol.ModelItem.safeParse(value).success)
      throw new InvalidItemError(index, 'the SDK knows no such item');
  });
  return items;
}

/** Getters of the arguments may throw. Inherited fields count, like in the SDK's session. */
function readArguments(args: unknown): { operationId?: unknown; transaction?: unknown } {
  try {
    if (!isObject(args)) return {};
    return { operationId: args['operationId'], transaction: args['transaction'] };
  } catch {
    return {};
  }
}

/** Returns no fields if a getter throws. */
function fieldsOf(value: unknown): JsonObject {
  try {
    return isObject(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
