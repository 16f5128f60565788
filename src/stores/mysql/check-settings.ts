import { InvalidOptionsError } from '../../errors/options.ts';
import type { JsonObject } from '../../util/json.ts';
import type { MysqlDatabase } from './clients.ts';
import { MAX_PACKET } from './insert-groups.ts';

/** Settings of a connection under which records would be lost, changed, or seen before they are committed. */
const CHECKS: Readonly<Record<string, (value: string) => string | undefined>> = {
  autocommit: (value) => (value === 'ON' ? undefined : 'which the ledger needs ON'),
  character_set_client: utf8mb4,
  character_set_results: utf8mb4,
  max_allowed_packet: (value) => (Number(value) >= MAX_PACKET ? undefined : `less than ${MAX_PACKET} bytes`),
  // The name on MySQL, and on MariaDB.
  transaction_isolation: committed,
  tx_isolation: committed,
};

const NAMES = Object.keys(CHECKS).map((name) => `'${name}'`);
const STATEMENT = `SHOW VARIABLES WHERE Variable_name IN (${NAMES.join(', ')})`;

/**
 * Checks the settings of the pool's connections.
 *
 * @throws InvalidOptionsError that names the setting.
 */
export async function checkSettings({ query }: Pick<MysqlDatabase, 'query'>): Promise<void> {
  for (const row of (await query(STATEMENT)).rows) {
    const { Variable_name: name, Value: value } = row as JsonObject;
    const problem = CHECKS[String(name)]?.(String(value));
    if (problem === undefined) continue;
    const found = `opens connections with ${String(name)} = ${String(value)}, ${problem}`;
    throw new InvalidOptionsError('pool', found, { subject: 'the MySQL ledger' });
  }
}

function utf8mb4(value: string): string | undefined {
  return value === 'utf8mb4' ? undefined : 'which cannot hold every text: open them with utf8mb4';
}

function committed(value: string): string | undefined {
  return value === 'READ-UNCOMMITTED' ? 'which shows half an append' : undefined;
}
