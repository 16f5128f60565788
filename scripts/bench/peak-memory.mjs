// How much memory one conversation takes, in a process that holds nothing else. A part: see run-part.mjs.
import { clientFor } from './clients.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { startServer } from './start-server.mjs';

/** Real turns at the end of each stretch: the momentary memory of a turn counts, too. */
const REAL_TURNS = 3;
const WARM_UP_TURNS = 20;

/**
 * @returns for each point the peak of the process up to then (resident, in bytes), and the memory that the conversation
 * keeps: the growth of the collected heap, in bytes.
 */
export async function runPeakMemory({ contestant, points }) {
  const server = await startServer({ latency: 0 });
  const { begin, isReplaying } = CONTESTANTS.find(({ name }) => name === contestant);
  const client = clientFor(server.url, 'key');
  await begin(client).grow(WARM_UP_TURNS);
  const before = collectedHeap();
  const conversation = begin(client);
  const measured = [];
  for (const point of points) {
    const to = Math.max(0, point - REAL_TURNS);
    await (isReplaying ? conversation.seed(to) : conversation.grow(to));
    while (conversation.turns < point) {
      await conversation.turn();
      await conversation.settled();
    }
    const peak = process.resourceUsage().maxRSS * 1024;
    measured.push({ point, peak, held: collectedHeap() - before });
  }
  server.close();
  return measured;
}

function collectedHeap() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
