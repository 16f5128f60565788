import { createHash } from 'node:crypto';
import type { SessionHistoryTransaction, SessionHistoryTransactionArgs } from '@openai/agents';
import { HistoryTransactionError } from '../errors/history-transaction-error.ts';
import { parseAgentItems } from '../ledger/agent-item.ts';
import { isObject, stableJson } from '../ledger/json.ts';

/** A transaction that can be stored, and what tells it from another one with the same ID. */
export interface ParsedTransaction {
  readonly operation: { readonly id: string; readonly digest: string };
  readonly transaction: SessionHistoryTransaction;
}

/** @throws HistoryTransactionError or InvalidItemError. */
export function parseTransaction(args: SessionHistoryTransactionArgs): ParsedTransaction {
  const given: unknown = args;
  const id: unknown = isObject(given) ? given['operationId'] : undefined;
  if (typeof id !== 'string' || id.trim() === '') {
    throw new HistoryTransactionError(
      typeof id === 'string' ? id : typeof id,
      'invalid',
      'operationId must be a non-empty string',
    );
  }
  const transaction = parse(id, isObject(given) ? given['transaction'] : undefined);
  const digest = createHash('sha256').update(stableJson(transaction)).digest('base64url');
  return { operation: { id, digest }, transaction };
}

function parse(id: string, value: unknown): SessionHistoryTransaction {
  const type = isObject(value) ? value['type'] : undefined;
  if (isObject(value) && type === 'append_items') return { type, items: parseAgentItems(value['items']) };
  if (isObject(value) && type === 'replace_suffix') {
    return {
      type,
      expectedSuffix: parseAgentItems(value['expectedSuffix']),
      replacement: parseAgentItems(value['replacement']),
    };
  }
  throw new HistoryTransactionError(id, 'invalid', "type must be 'append_items' or 'replace_suffix'");
}
