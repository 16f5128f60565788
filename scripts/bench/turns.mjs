// One run of the turns: every contestant has the same conversations, interleaved. A part: see run-part.mjs.
// Short conversations measure the first turns, many times over. One long conversation measures the later ones, in a
// window that ends with the named turn. In each the contestants take turns in blocks, in an order that moves on by one
// each time, and each block begins with a collected heap, so that no contestant pays for the garbage of another.
import { clientFor } from './clients.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { measureTurn } from './measure-turn.mjs';
import { startServer } from './start-server.mjs';

/** Which turns of a short conversation stand for which turn. */
const SHORT = new Map([[1, 1], [2, 2], [5, 5], ...[8, 9, 10, 11, 12].map((turn) => [turn, 10])]);
const SHORT_TURNS = Math.max(...SHORT.keys());
const WARM_UP_TURNS = 40;
const PASSES = 2;
/** Where it is tried whether seeding changes anything. */
const SEEDED = 45;

/**
 * @param first the number of the run: the first one also tries whether seeding changes anything.
 * @returns samples: `contestant`, `point` and the results of `measureTurn`.
 */
export async function runTurns({ latency, points, short, only, first, say }) {
  const server = await startServer({ latency });
  const contestants = CONTESTANTS.filter(({ name }) => only === undefined || only.includes(name));
  const entries = contestants.map((one) => ({ ...one, client: clientFor(server.url, `key-${one.name}`) }));
  const samples = [];
  try {
    say('warming up');
    for (const { begin, client } of entries) await begin(client).grow(WARM_UP_TURNS);
    for (const { begin, client } of entries) {
      const conversation = begin(client);
      while (conversation.turns < WARM_UP_TURNS / 2) await measureTurn(conversation, server);
    }
    if (first === 1) await requireSameWhenSeeded();
    await shortConversations();
    await longConversation();
  } finally {
    server.close();
  }
  return samples;

  /** A seeded conversation costs as much as one that came to the same turn by real turns. */
  async function requireSameWhenSeeded() {
    say(`seeding: is turn ${SEEDED} what it is after real turns?`);
    for (const { name, begin, client } of entries.filter(({ isReplaying }) => isReplaying)) {
      const [grown, seeded] = [begin(client), begin(client)];
      await grown.grow(SEEDED - 1);
      // Both begin by real turns: a first turn may have costs that no later one has.
      await seeded.grow(1);
      await seeded.seed(SEEDED - 1);
      const [real, other] = [await measureTurn(grown, server), await measureTurn(seeded, server)];
      for (const key of ['requests', 'requestsWritten', 'up', 'upWritten', 'down', 'downWritten']) {
        if (real[key] === other[key]) continue;
        throw new Error(`bench: ${name}, seeded: ${key} is ${other[key]}, after real turns ${real[key]}`);
      }
    }
  }

  async function shortConversations() {
    say('turns 1 to 10');
    for (let count = 0; count < short; count += 1) {
      for (const { name, begin, client } of rotated(entries, count)) {
        globalThis.gc();
        const conversation = begin(client);
        while (conversation.turns < SHORT_TURNS) {
          const measured = await measureTurn(conversation, server);
          const point = SHORT.get(measured.turn);
          if (point !== undefined) samples.push({ contestant: name, point, ...measured });
        }
      }
    }
  }

  async function longConversation() {
    const conversations = entries.map((entry) => ({ ...entry, conversation: entry.begin(entry.client) }));
    for (const point of points.filter((one) => one > SHORT_TURNS)) {
      say(`turn ${point}`);
      await Promise.all(
        conversations.map(({ conversation, isReplaying }) => {
          const to = point - blockOf(point, isReplaying) * PASSES;
          return isReplaying ? conversation.seed(to) : conversation.grow(to);
        }),
      );
      await server.take();
      for (let pass = 0; pass < PASSES; pass += 1) {
        for (const { name, conversation, isReplaying } of rotated(conversations, pass * 5)) {
          globalThis.gc();
          const block = blockOf(point, isReplaying);
          for (let turn = 0; turn < block; turn += 1) {
            const measured = await measureTurn(conversation, server);
            // The first one of a block finds its code and data cold.
            if (turn > 0) samples.push({ contestant: name, point, ...measured });
          }
        }
      }
    }
    await Promise.all(conversations.map(({ name, conversation }) => requireWhole(name, conversation)));
  }
}

/** How many turns are measured in a row, the first one not counted. */
function blockOf(point, isReplaying) {
  if (!isReplaying) return 1 + Math.min(10, Math.floor(point / 5));
  return point < 200 ? 4 : 3;
}

/** A conversation that has lost something in the end has measured nothing. */
async function requireWhole(name, { session, turns }) {
  if (session === undefined) return;
  const { length } = await session.getItems();
  if (length !== turns * 2) throw new Error(`bench: ${name} has ${length} items after ${turns} turns`);
}

function rotated(list, by) {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
