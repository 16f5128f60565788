// How fast a store takes the records of a turn, against one insert of its driver. A part: see run-part.mjs.
import { openStores } from './stores.mjs';
import { startServer } from './start-server.mjs';
import { grownLedger } from './ledger-copy.mjs';

/** Blocks of the two sides follow each other, so that a disturbance hits both. */
const BLOCKS = 9;
const TURNS = 3;

/** @returns for each store the milliseconds of each block for one append, ours and the driver's. */
export async function runAppends({ appends, say }) {
  const server = await startServer({ latency: 0 });
  const { records, head } = await grownLedger(server.url, TURNS, { mirror: 'off' });
  server.close();
  // The append of `addItems` at the end of a turn.
  const record = records.findLast(({ type }) => type === 'items');
  const text = JSON.stringify(record);
  const measured = [];
  for (const store of await openStores()) {
    say(`appends: ${store.name}`);
    const ledger = store.ledger();
    const raw = await store.raw();
    // A store holds other sessions already.
    await ledger.append('other', [record], head, 0);
    const own = [];
    const driver = [];
    for (let block = 0; block <= BLOCKS; block += 1) {
      const session = `session-${block}`;
      const ours = await time(appends, (position) =>
        ledger.append(session, [record], { ...head, version: position + 1 }, position),
      );
      const theirs = await time(appends, (position) => raw.write(session, position, text));
      // The first block warms up.
      if (block === 0) continue;
      own.push(ours);
      driver.push(theirs);
    }
    await raw.close();
    await ledger.close?.();
    await store.close();
    measured.push({ store: store.name, bytes: Buffer.byteLength(text), own, driver });
  }
  return measured;
}

/** Milliseconds for one of so many. */
async function time(count, work) {
  const begun = performance.now();
  for (let position = 0; position < count; position += 1) await work(position);
  return (performance.now() - begun) / count;
}
