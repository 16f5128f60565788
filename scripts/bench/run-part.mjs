// Runs one part of the benchmark in a process of its own, and sends its measurements to bench.mjs.
// node --expose-gc scripts/bench/run-part.mjs PART OPTIONS(JSON)
import { parts } from './parts.mjs';

const [, , name, options] = process.argv;
const say = (text) => process.stderr.write(`  ${text}\n`);
const result = await parts[name]({ ...JSON.parse(options ?? '{}'), say });
if (process.send) process.send(result, () => process.disconnect());
else console.log(JSON.stringify(result));
