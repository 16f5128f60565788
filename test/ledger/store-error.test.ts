import { expect, test } from 'vitest';
import { LedgerUnavailableError } from '../../src/errors/ledger.ts';
import { isPermanent } from '../../src/ledger/retry.ts';

const withFields = (fields: object, message = 'failed'): Error => Object.assign(new Error(message), fields);

test.each([
  ['a closed store', new LedgerUnavailableError('closed', 'it was closed')],
  ['a check constraint of PostgreSQL', withFields({ code: '23514' })],
  ['a login of PostgreSQL', withFields({ code: '28P01' })],
  ['a missing right of PostgreSQL', withFields({ code: '42501' })],
  ['a login of MySQL', withFields({ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045, sqlState: '28000' })],
  ['a missing right of MySQL', withFields({ errno: 1142, sqlState: '42000' })],
  ['a full SQLite file', withFields({ code: 'SQLITE_FULL' })],
  ['an error of node:sqlite', withFields({ code: 'ERR_SQLITE_ERROR' })],
  ['an error that libsql has no name for', withFields({ code: 'UNKNOWN_SQLITE_ERROR_1544' })],
  ['a Redis key of another type', withFields({}, 'WRONGTYPE Operation against a key')],
  ['a client of Redis that was closed', withFields({ name: 'ClientClosedError' })],
  ['an API request that is refused', withFields({ status: 403 })],
  ['a fault of a program', new TypeError('store.read is not a function')],
])('%s fails again', (_name, error) => expect(isPermanent(error)).toBe(true));

test.each([
  ['text', 'down'],
  ['a connection that was reset', withFields({ code: 'ECONNRESET' })],
  ['a broken pipe', withFields({ code: 'EPIPE' })],
  ['a request without an answer', new TypeError('fetch failed', { cause: new Error('other side closed') })],
  ['a timeout of pg', new Error('Query read timeout')],
  ['a PostgreSQL that shuts down', withFields({ code: '57P01' })],
  ['a PostgreSQL that only reads, in a failover', withFields({ code: '25006' })],
  ['a deadlock of MySQL', withFields({ code: 'ER_LOCK_DEADLOCK', errno: 1213, sqlState: '40001' })],
  ['a lock that MySQL waited for', withFields({ errno: 1205, sqlState: 'HY000' })],
  ['a MySQL with too many connections', withFields({ errno: 1203, sqlState: '42000' })],
  ['a MySQL with too many prepared statements', withFields({ errno: 1461, sqlState: '42000' })],
  ['a MySQL that only reads', withFields({ errno: 1792, sqlState: '25006' })],
  ['a Redis that loads its data', withFields({}, 'LOADING Redis is loading the dataset in memory')],
  ['a Redis that became a replica', withFields({}, "READONLY You can't write against a read only replica.")],
  ['an API that is overloaded', withFields({ status: 503 })],
  ['an API that asks for patience', withFields({ status: 429 })],
])('%s may pass', (_name, error) => expect(isPermanent(error)).toBe(false));
