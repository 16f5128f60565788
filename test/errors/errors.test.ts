import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { ConversationNotFoundError } from '../../src/errors/conversation-not-found-error.ts';
import { HistoryAnchorError } from '../../src/errors/history-anchor-error.ts';
import { HistoryIncompleteError, type MissingItem } from '../../src/errors/history-incomplete-error.ts';
import { HistoryTransactionError } from '../../src/errors/history-transaction-error.ts';
import { HybridSessionError, type HybridSessionErrorCode } from '../../src/errors/hybrid-session-error.ts';
import { ImportRefusedError } from '../../src/errors/import-refused-error.ts';
import { InvalidItemError } from '../../src/errors/invalid-item-error.ts';
import { InvalidLineError } from '../../src/errors/invalid-line-error.ts';
import { InvalidOptionsError } from '../../src/errors/invalid-options-error.ts';
import { InvalidResponseError } from '../../src/errors/invalid-response-error.ts';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import { LedgerDecryptionError } from '../../src/errors/ledger-decryption-error.ts';
import { LedgerRecordError } from '../../src/errors/ledger-record-error.ts';
import { LedgerUnavailableError } from '../../src/errors/ledger-unavailable-error.ts';
import { MirrorIncompleteError } from '../../src/errors/mirror-incomplete-error.ts';

const cause = new Error('why');

interface Example {
  readonly error: HybridSessionError;
  readonly name: string;
  readonly fields: object;
  readonly message: string;
}

// A code that is added and not shown here does not compile.
const examples: Record<HybridSessionErrorCode, Example> = {
  invalid_options: {
    error: new InvalidOptionsError('cache.maxBytes', 'must be positive', { cause }),
    name: 'InvalidOptionsError',
    fields: { option: 'cache.maxBytes' },
    message: "Cannot create the session: option 'cache.maxBytes' must be positive",
  },
  invalid_item: {
    error: new InvalidItemError(2, 'it is not an object', { cause }),
    name: 'InvalidItemError',
    fields: { index: 2, problem: 'it is not an object' },
    message: 'Cannot store item 2: it is not an object',
  },
  invalid_response: {
    error: new InvalidResponseError('responses.retrieve', 'it is not JSON', { cause }),
    name: 'InvalidResponseError',
    fields: { operation: 'responses.retrieve' },
    message: 'Cannot use the answer to responses.retrieve: it is not JSON',
  },
  conversation_not_found: {
    error: new ConversationNotFoundError('conv_1', { cause }),
    name: 'ConversationNotFoundError',
    fields: { conversationId: 'conv_1' },
    message:
      "Cannot attach to conversation 'conv_1': it does not exist for this client; " +
      'check the ID and the account, or leave out conversationId to start a new one',
  },
  history_anchor: {
    error: new HistoryAnchorError('conv_1', 'gone', { cause }),
    name: 'HistoryAnchorError',
    fields: { sessionId: 'conv_1', reason: 'gone' },
    message:
      "Cannot show the model the history of session 'conv_1': it was cleared or rewritten since the run began; " +
      'begin a new run',
  },
  history_incomplete: {
    error: new HistoryIncompleteError('conv_1', [{ index: 3, kind: 'message:assistant', id: 'msg_1' }], {
      cause,
    }),
    name: 'HistoryIncompleteError',
    fields: { sessionId: 'conv_1', missing: [{ index: 3, kind: 'message:assistant', id: 'msg_1' }] },
    message:
      "Cannot serve the whole history of 'conv_1': 1 item(s) are in the ledger but neither in the list nor in any " +
      "response: #3 message:assistant 'msg_1'; set onIncomplete: 'warn' to serve the rest",
  },
  history_transaction: {
    error: new HistoryTransactionError('op_1', 'suffix-changed', 'the history ends otherwise'),
    name: 'HistoryTransactionError',
    fields: { operationId: 'op_1', reason: 'suffix-changed' },
    message: "Cannot apply history transaction 'op_1': the history ends otherwise",
  },
  import_refused: {
    error: new ImportRefusedError('conv_1', 'not-empty', 'it has 3 item(s) already'),
    name: 'ImportRefusedError',
    fields: { sessionId: 'conv_1', reason: 'not-empty' },
    message: "Cannot import into 'conv_1': it has 3 item(s) already",
  },
  invalid_line: {
    error: new InvalidLineError(17, 'it is not JSON', { cause }),
    name: 'InvalidLineError',
    fields: { line: 17 },
    message: 'Cannot read line 17: it is not JSON',
  },
  ledger_conflict: {
    error: new LedgerConflictError('conv_1', 4, 5, { cause }),
    name: 'LedgerConflictError',
    fields: { sessionId: 'conv_1', expected: 4, actual: 5 },
    message: "Cannot append to the ledger of 'conv_1': expected version 4, found 5",
  },
  ledger_decryption: {
    error: new LedgerDecryptionError('conv_1', 7, 'k1', 'unknown-key', { cause }),
    name: 'LedgerDecryptionError',
    fields: { sessionId: 'conv_1', position: 7, keyId: 'k1', reason: 'unknown-key' },
    message:
      "Cannot decrypt record 7 of the ledger of 'conv_1': no key with ID 'k1' was given; " +
      "add it behind the current one in 'keys'",
  },
  ledger_record: {
    error: new LedgerRecordError('conv_1', 7, 'damaged', 'it has no type', { cause }),
    name: 'LedgerRecordError',
    fields: { sessionId: 'conv_1', position: 7, reason: 'damaged' },
    message: "Cannot read record 7 of the ledger of 'conv_1': it has no type",
  },
  ledger_unavailable: {
    error: new LedgerUnavailableError('closed', 'it was closed', { cause }),
    name: 'LedgerUnavailableError',
    fields: { reason: 'closed' },
    message: 'Cannot use the ledger: it was closed',
  },
  mirror_incomplete: {
    error: new MirrorIncompleteError('conv_1', 2, { cause }),
    name: 'MirrorIncompleteError',
    fields: { conversationId: 'conv_1', pending: 2 },
    message:
      "Cannot bring conversation 'conv_1' up to date: 2 change(s) are still pending; " +
      'nothing is lost, call flush() again',
  },
};

const WITHOUT_CAUSE = new Set(['history_transaction', 'import_refused']);

describe.each(Object.entries(examples))('%s', (code, { error, name, fields, message }) => {
  test('is told by its code, whichever copy of the class threw it', () => {
    expect(error).toBeInstanceOf(HybridSessionError);
    expect(error).toBeInstanceOf(Error);
    expect({ code: error.code, name: error.name }).toEqual({ code, name });
    expect(Object.keys(error)).toContain('code');
  });

  test('has its facts as fields, and says what to do', () => {
    expect(error).toMatchObject(fields);
    expect(error.message).toBe(message);
  });

  test('keeps what caused it', () => {
    expect(error.cause).toBe(WITHOUT_CAUSE.has(code) ? undefined : cause);
  });

  test('reads like the others: what could not be done first, no full stop', () => {
    expect(error.message).toMatch(/^Cannot /);
    expect(error.message).not.toMatch(/[.!]$/);
  });
});

test('each error has its file, and each file its error', async () => {
  const files = await readdir(new URL('../../src/errors', import.meta.url));
  const names = Object.values(examples).map(
    ({ name }) => `${name.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase()}.ts`,
  );
  const shared = ['hybrid-session-error.ts', 'invalid-option.ts', 'as-word.ts'];
  expect(files.toSorted()).toEqual([...names, ...shared].toSorted());
});

test('an incomplete history names a few of what is missing, and counts all', () => {
  const missing = Array.from({ length: 9 }, (_, index): MissingItem => ({ index, kind: 'function_call' }));
  const { message } = new HistoryIncompleteError('conv_1', missing);
  expect(message).toContain("'conv_1': 9 item(s)");
  expect(message).toContain(
    '#0 function_call, #1 function_call, #2 function_call, #3 function_call, #4 function_call, ...',
  );
  expect(message).not.toContain('#5');
});

test('a conflict whose store cannot tell the version says so', () => {
  const error = new LedgerConflictError('conv_1', 4);
  expect(error.actual).toBeUndefined();
  expect(error.message).toBe("Cannot append to the ledger of 'conv_1': expected version 4, found another");
});

test('the head of a ledger is named where a record has its position', () => {
  expect(new LedgerRecordError('conv_1', undefined, 'newer-format', 'p').message).toBe(
    "Cannot read the head of the ledger of 'conv_1': p",
  );
});
