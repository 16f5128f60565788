import { describe, expect, test, vi } from 'vitest';
import {
  ConversationNotFoundError,
  ConversationOwnedError,
  ConversationsUnavailableError,
  HistoryReferenceError,
  HealError,
  HistoryIncompleteError,
  type MissingItem,
  HistoryTransactionError,
  ImportRefusedError,
  InvalidItemError,
  InvalidResponseError,
  MirrorIncompleteError,
} from '../../src/errors/session.ts';
import { HybridSessionError, type HybridSessionErrorCode } from '../../src/errors/base.ts';
import { InvalidOptionsError } from '../../src/errors/options.ts';
import {
  LedgerConflictError,
  LedgerUnreadableError,
  LedgerUnavailableError,
} from '../../src/errors/ledger.ts';

import * as ledgerErrors from '../../src/errors/ledger.ts';
import * as compactionErrors from '../../src/errors/compaction.ts';
import * as optionErrors from '../../src/errors/options.ts';
import * as sessionErrors from '../../src/errors/session.ts';

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
    message: 'Cannot use the response to responses.retrieve: it is not JSON',
  },
  compaction_failed: {
    error: new compactionErrors.CompactionError('user-42', 'no_model', { cause }),
    name: 'CompactionError',
    fields: { sessionId: 'user-42', reason: 'no_model' },
    message: "Cannot compact the history of session 'user-42': no model",
  },
  conversation_not_found: {
    error: new ConversationNotFoundError('conv_1', { cause }),
    name: 'ConversationNotFoundError',
    fields: { conversationId: 'conv_1' },
    message:
      "Cannot attach to conversation 'conv_1': it does not exist for this client; " +
      'check the ID and the account, or leave out conversationId to start a new one',
  },
  conversation_owned: {
    error: new ConversationOwnedError('conv_1', 'user-42'),
    name: 'ConversationOwnedError',
    fields: { conversationId: 'conv_1', sessionId: 'user-42' },
    message: "Cannot use conversation 'conv_1' for session 'user-42': another session owns it",
  },
  conversations_unavailable: {
    error: new ConversationsUnavailableError(404, { cause }),
    name: 'ConversationsUnavailableError',
    fields: { status: 404 },
    message:
      "Cannot use conversations: the server has no /conversations (404); use mirror: 'off' with a sessionId and a ledger that outlives the process",
  },
  history_reference: {
    error: new HistoryReferenceError('conv_1', 'gone', { cause }),
    name: 'HistoryReferenceError',
    fields: { sessionId: 'conv_1', reason: 'gone' },
    message:
      "Cannot show the model the history of session 'conv_1': it was cleared or rewritten since the run began; " +
      'begin a new run',
  },
  heal_failed: {
    error: new HealError(
      'conv_1',
      'unwritten',
      {
        conversationId: 'conv_2',
        pending: 3,
        failure: 'RateLimitError (429)',
        isTemporary: true,
        retryAfter: 20_000,
      },
      { cause },
    ),
    name: 'HealError',
    fields: {
      sessionId: 'conv_1',
      reason: 'unwritten',
      conversationId: 'conv_2',
      pending: 3,
      failure: 'RateLimitError (429)',
      isTemporary: true,
      retryAfter: 20_000,
    },
    message:
      "Cannot heal 'conv_1': 3 change(s) are not in conversation 'conv_2' yet, RateLimitError (429); " +
      'nothing is lost, call heal() again to go on from there',
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
    error: new HistoryTransactionError('op_1', 'suffix_changed', 'the history ends otherwise'),
    name: 'HistoryTransactionError',
    fields: { operationId: 'op_1', reason: 'suffix_changed' },
    message: "Cannot apply history transaction 'op_1': the history ends otherwise",
  },
  import_refused: {
    error: new ImportRefusedError('conv_1', 'not_empty', 'it has 3 item(s) already'),
    name: 'ImportRefusedError',
    fields: { sessionId: 'conv_1', reason: 'not_empty' },
    message: "Cannot import into 'conv_1': it has 3 item(s) already",
  },
  ledger_conflict: {
    error: new LedgerConflictError('conv_1', 4, 5, { cause }),
    name: 'LedgerConflictError',
    fields: { sessionId: 'conv_1', expected: 4, actual: 5 },
    message: "Cannot append to the ledger of 'conv_1': expected version 4, found 5",
  },
  ledger_unreadable: {
    error: new LedgerUnreadableError('conv_1', 7, 'damaged', 'it has no type', { cause, keyId: 'k1' }),
    name: 'LedgerUnreadableError',
    fields: { sessionId: 'conv_1', position: 7, reason: 'damaged', problem: 'it has no type', keyId: 'k1' },
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
      'nothing is lost, call flush() again, or heal() if the conversation was deleted',
  },
};

const WITHOUT_CAUSE = new Set(['conversation_owned', 'history_transaction', 'import_refused']);

describe.each(Object.entries(examples))('%s', (code, { error, name, fields, message }) => {
  test('an error of any copy of the class is known by its code', () => {
    expect(error).toBeInstanceOf(HybridSessionError);
    expect(error).toBeInstanceOf(Error);
    expect({ code: error.code, name: error.name }).toEqual({ code, name });
    expect(Object.keys(error)).toContain('code');
  });

  test('an error has its facts as fields and says how to go on', () => {
    expect(error).toMatchObject(fields);
    expect(error.message).toBe(message);
  });

  test('an error keeps its cause', () => {
    expect(error.cause).toBe(WITHOUT_CAUSE.has(code) ? undefined : cause);
  });

  test('a message begins with "Cannot" and ends without a full stop', () => {
    expect(error.message).toMatch(/^Cannot /);
    expect(error.message).not.toMatch(/[.!]$/);
  });
});

test('every exported error class has an example', () => {
  const classes = Object.values({
    ...compactionErrors,
    ...sessionErrors,
    ...ledgerErrors,
    ...optionErrors,
  })
    .filter((value) => value.prototype instanceof HybridSessionError)
    .map(({ name }) => name);
  expect(classes.toSorted()).toEqual(
    Object.values(examples)
      .map(({ name }) => name)
      .toSorted(),
  );
});

test('the error of a JSON Lines file names the line', () => {
  const error = new InvalidItemError(16, 'it is not JSON', { line: 17 });
  expect(error).toMatchObject({ index: 16, line: 17, message: 'Cannot read line 17: it is not JSON' });
});

test('isInstance() knows the errors of another copy of the package, by class and in all', async () => {
  vi.resetModules();
  const other = await import('../../src/errors/session.ts');
  const error = new other.InvalidItemError(0, 'it is not an object');
  expect(error).not.toBeInstanceOf(HybridSessionError);
  expect(HybridSessionError.isInstance(error)).toBe(true);
  expect(InvalidItemError.isInstance(error)).toBe(true);
  expect(MirrorIncompleteError.isInstance(error)).toBe(false);
  for (const value of [undefined, null, 'invalid_item', new Error('no'), { code: 'invalid_item' }])
    expect(HybridSessionError.isInstance(value)).toBe(false);
});

test('an incomplete history names a few missing items and counts all', () => {
  const missing = Array.from({ length: 9 }, (_, index): MissingItem => ({ index, kind: 'function_call' }));
  const { message } = new HistoryIncompleteError('conv_1', missing);
  expect(message).toContain("'conv_1': 9 item(s)");
  expect(message).toContain(
    '#0 function_call, #1 function_call, #2 function_call, #3 function_call, #4 function_call, ...',
  );
  expect(message).not.toContain('#5');
});

test('a conflict of a store that knows no version says so', () => {
  const error = new LedgerConflictError('conv_1', 4);
  expect(error.actual).toBeUndefined();
  expect(error.message).toBe("Cannot append to the ledger of 'conv_1': expected version 4, found another");
});

test('an error names the checkpoint if the record has no position', () => {
  expect(new LedgerUnreadableError('conv_1', undefined, 'newer_format', 'p').message).toBe(
    "Cannot read the checkpoint of the ledger of 'conv_1': p",
  );
});
