import type { SessionHistoryTransactionArgs } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { parseTransaction } from '../../src/session/transaction.ts';
import { assistant, user } from '../support/conversation.ts';

const parse = (args: unknown) => parseTransaction(args as SessionHistoryTransactionArgs);

const append = (items: unknown, more: object = {}) => ({
  operationId: 'op_1',
  transaction: { type: 'append_items', items, ...more },
});

const replace = (expectedSuffix: unknown, replacement: unknown) => ({
  operationId: 'op_1',
  transaction: { type: 'replace_suffix', expectedSuffix, replacement },
});

const digest = (args: unknown): string => parse(args).operation.digest;

const throwing = (field: string): object =>
  Object.defineProperty({}, field, {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });

describe('a history transaction', () => {
  it('a transaction holds copies of its items', () => {
    const items = [user('one')];
    const { operation, transaction } = parse(append(items));
    expect(operation.id).toBe('op_1');
    expect(transaction).toEqual({ type: 'append_items', items });
    expect('items' in transaction && transaction.items[0]).not.toBe(items[0]);
    expect(parse(replace(items, [assistant('two')])).transaction).toEqual({
      type: 'replace_suffix',
      expectedSuffix: items,
      replacement: [assistant('two')],
    });
  });

  it('a transaction has the digest of its content, whatever the order of its fields', () => {
    const swapped = { operationId: 'op_2', transaction: { items: [user('one')], type: 'append_items' } };
    expect(digest(append([user('one')]))).toMatch(/^[\w-]{43}$/);
    expect(digest(swapped)).toBe(digest(append([user('one')])));
    expect(digest(append([user('two')]))).not.toBe(digest(append([user('one')])));
    expect(digest(replace([], [user('one')]))).not.toBe(digest(replace([user('one')], [])));
  });

  it.each([
    ['', ''],
    ['  ', '  '],
    [7, 'number'],
    [undefined, 'undefined'],
  ])('an operation of the name %j is refused', (operationId, named) => {
    expect(() => parse({ ...append([user('one')]), operationId })).toThrow(
      expect.objectContaining({
        code: 'history_transaction',
        operationId: named,
        reason: 'invalid',
        message: expect.stringContaining('operationId must be a non-empty string'),
      }),
    );
  });

  it.each([[undefined], [null], [7], ['text'], [{}], [{ type: 'other' }], [{ type: 'other', items: [] }]])(
    'a transaction of another kind is refused: %j',
    (transaction) => {
      expect(() => parse({ operationId: 'op_1', transaction })).toThrow(
        "type must be 'append_items' or 'replace_suffix'",
      );
    },
  );

  it('a transaction with more fields, or on an object of a class, is refused', () => {
    const problem = 'it holds more than items and its type';
    expect(() => parse(append([user('one')], { more: 1 }))).toThrow(problem);
    expect(() => parse(append([user('one')], { replacement: [] }))).toThrow(problem);
    const inherited = Object.assign(Object.create({ type: 'append_items' }), { items: [user('one')] });
    expect(() => parse({ operationId: 'op_1', transaction: inherited })).toThrow('type must be');
    const dated = Object.assign(new Date(0), { type: 'append_items', items: [user('one')] });
    expect(() => parse({ operationId: 'op_1', transaction: dated })).toThrow(problem);
  });

  it('an item that is no plain data, or that the SDK does not know, is named by its place', () => {
    const plain = expect.objectContaining({
      code: 'invalid_item',
      index: 1,
      message: expect.stringContaining('it is not plain data: objects, arrays, text, numbers and bytes'),
    });
    const dated = { ...user('two'), providerData: { at: new Date(0) } };
    expect(() => parse(append([user('one'), dated]))).toThrow(plain);
    const unknown = expect.objectContaining({
      index: 1,
      message: expect.stringContaining('the SDK knows no such item'),
    });
    const strange = { type: 'telepathy', thought: 'x' };
    expect(() => parse(append([user('one'), strange]))).toThrow(unknown);
    expect(() => parse(replace([user('one'), strange], []))).toThrow(unknown);
    expect(() => parse(replace([], [user('one'), strange]))).toThrow(unknown);
  });

  it.each([['text'], [undefined], [{ 0: user('one') }]])(
    'items that are no array are refused: %j',
    (items) => {
      expect(() => parse(append(items))).toThrow('expected an array of items');
    },
  );

  it('getters that throw count as nothing', () => {
    expect(() => parse(throwing('operationId'))).toThrow('operationId must be a non-empty string');
    expect(() => parse({ operationId: 'op_1', transaction: throwing('type') })).toThrow(
      "type must be 'append_items' or 'replace_suffix'",
    );
    for (const args of [undefined, null, 'text']) expect(() => parse(args)).toThrow('operationId must be');
  });
});
