// The simulator in a process of its own, for `scripts/load.mjs`: prints its URL, ends with its parent.
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';

const simulator = createSimulatorCore({
  unlink: 'none',
  seed: 1,
  respond: (context) => `I see ${context.length}`,
});
// A few of everything that can go wrong with a write or an answer, by the seed.
for (const moment of ['before', 'after']) {
  simulator.fault('conversations.items.create', {
    status: 500,
    moment,
    chance: 0.002,
    headers: { 'retry-after-ms': '1' },
  });
  simulator.fault('conversations.items.create', { name: 'connection_reset', moment, chance: 0.001 });
}
simulator.fault('responses.create', { status: 429, chance: 0.002, headers: { 'retry-after-ms': '1' } });
simulator.fault('responses.create', { name: 'previous_response_not_found', chance: 0.002 });
const { url } = await simulator.listen();
process.stdout.write(`${url}\n`);
process.stdin.resume().on('end', () => process.exit(0));
