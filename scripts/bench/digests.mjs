// How fast items are canonicalised and hashed, against SHA-256 of their JSON. A part: see run-part.mjs.
import { createHash } from 'node:crypto';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../../dist/esm/src/items/digest.js';

const KINDS = {
  'a message of 100 characters': () => message(100),
  'a message of 1,000 characters': () => message(1000),
  'a message of 10,000 characters': () => message(10_000),
  'a tool call': (index) => ({
    type: 'function_call',
    callId: `call_${index}`,
    name: 'find_berth',
    status: 'completed',
    arguments: JSON.stringify({ length: index, harbour: 'Oslo', flags: ['night', 'crane'] }),
  }),
};

/** @returns for each kind of item how many it is in a second and in bytes, ours and hashing alone, run by run. */
export async function runDigests({ seconds, runs, say }) {
  say('digests');
  return Object.entries(KINDS).map(([kind, make]) => {
    const items = Array.from({ length: 200 }, (_, index) => make(index));
    const bytes =
      items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0) / items.length;
    const ways = {
      own: () => items.reduce((digest, item) => extendDigest(digest, itemDigest(item)), EMPTY_DIGEST),
      hash: () => items.map((item) => createHash('sha256').update(JSON.stringify(item)).digest('base64url')),
    };
    const perSecond = { own: [], hash: [] };
    for (let run = 0; run <= runs; run += 1) {
      for (const [name, work] of Object.entries(ways)) {
        const rate = rateOf(work, seconds) * items.length;
        if (run > 0) perSecond[name].push(rate);
      }
    }
    return { kind, bytes, ...perSecond };
  });
}

function rateOf(work, seconds) {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < seconds * 1000) {
    work();
    count += 1;
  }
  return (count * 1000) / (performance.now() - begun);
}

function message(length) {
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    id: 'msg_0123456789abcdef',
    content: [{ type: 'output_text', text: 'a'.repeat(length) }],
  };
}
