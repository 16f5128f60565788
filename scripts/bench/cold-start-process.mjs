// One cold start of a process that has just begun: see cold-starts.mjs.
import { sqliteLedger } from 'agents-hybrid-session/sqlite';
import { coldStart } from './cold-start.mjs';
import { rawSqlite } from './stores.mjs';

const { way, path, rawPath, ...where } = JSON.parse(process.argv[2] ?? '{}');
const store = { ledger: () => sqliteLedger({ path }), raw: () => rawSqlite(rawPath) };
// The time until here is that of loading the SDK, the same for all.
const loaded = performance.now();
const start = await coldStart(way, { ...where, store });
process.send({ loaded, ...start }, () => process.exit(0));
