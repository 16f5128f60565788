// The simulator, in a process of its own, so that its cost is not the client's. Forked by start-server.mjs.
// Every request takes the same time, the simulator's own work included as long as that is shorter: the client waits as
// long as in the first turn, for a history of any length.
import diagnostics from 'node:diagnostics_channel';
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';
import { listen } from '../../dist/esm/mocks/http/listen.js';
import { answerTo } from './script.mjs';

const { latency, retain } = JSON.parse(process.argv[2] ?? '{}');

const simulator = createSimulatorCore({
  unlink: 'none',
  retain,
  contextWindow: Number.MAX_SAFE_INTEGER,
  respond: (context) => answerTo(context),
});

/** The requests since the last question. */
let served = [];
/** The socket's counts include headers; those of the log are the bodies alone. */
let wire = { up: 0, down: 0 };
const counted = new WeakMap();
diagnostics.subscribe('http.server.response.finish', ({ socket }) => {
  const before = counted.get(socket) ?? { read: 0, written: 0 };
  wire.up += socket.bytesRead - before.read;
  wire.down += socket.bytesWritten - before.written;
  counted.set(socket, { read: socket.bytesRead, written: socket.bytesWritten });
});
simulator.onRequest(({ operation, status, requestBytes, responseBytes, context }) => {
  served.push({ operation, status, up: requestBytes, down: responseBytes, context: context?.length ?? 0 });
});

let cpu = process.cpuUsage();
const { url } = await listen(async (request) => {
  const due = performance.now() + latency;
  const response = await simulator.handle(request);
  const left = due - performance.now();
  // A timer is up to a millisecond off; the last one is waited for exactly.
  if (left > 2) await sleep(left - 1.5);
  while (performance.now() < due) await nextTick();
  return response;
});

const commands = {
  take() {
    const taken = { served, wire, cpu: process.cpuUsage(cpu) };
    served = [];
    wire = { up: 0, down: 0 };
    cpu = process.cpuUsage();
    return taken;
  },
  reset() {
    simulator.reset();
    return commands.take();
  },
};
process.on('message', ({ id, command }) => process.send({ id, result: commands[command]() }));
process.on('disconnect', () => process.exit(0));
process.send({ url });
