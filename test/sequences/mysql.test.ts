import { mysqlUrl } from '../stores/support/mysql-engines.ts';
import { proveSequences } from './support/prove-sequences.ts';

proveSequences({
  store: 'mysql',
  seed: 20261201,
  share: 0.02,
  missing: mysqlUrl === undefined ? 'TEST_MYSQL_URL is not set' : undefined,
});
