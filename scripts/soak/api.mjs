// The API in a process of its own: the simulator behind a network that loses, repeats and delays. Prints its URL; obeys
// JSON lines: {"restart": ms}, {"calm": true}, {"stats": true}.
import { listen } from '../../dist/esm/mocks/http/listen.js';
import { createSimulatorCore } from '../../dist/esm/mocks/simulator.js';
import { textOf } from '../../dist/esm/mocks/wire/item.js';
import { API_FAULTS } from './faults.mjs';
import { readLines, say } from './json-lines.mjs';
import { random, sleep, weighted } from './random.mjs';

const { seed, origin, speed, faults, rate } = JSON.parse(process.argv[2]);
const next = random(seed);
/** Every fault that struck: which, when, and the request. */
const struck = [];
const sawDouble = [];
let isCalm = false;
/** Effects that are still to come. */
let underWay = 0;

const simulator = createSimulatorCore({
  unlink: 'every-turn',
  seed,
  lag: faults.includes('lag') ? 1000 : 0,
  now: () => origin + (Date.now() - origin) * speed,
  respond(context) {
    const said = context.filter(({ role }) => role === 'user').map((item) => textOf(item));
    const twice = said.filter((one, index) => said.indexOf(one) !== index);
    if (twice.length > 0) sawDouble.push({ at: Date.now(), twice: [...new Set(twice)], said });
    return `re: ${said.at(-1)}`;
  },
});
if (faults.includes('lag'))
  simulator.fault('conversations.items.list', {
    name: 'lagging_items',
    count: 2,
    chance: Math.min(1, API_FAULTS.lag.lists * rate),
    when: () => !isCalm,
  });

/** Which faults can strike a request. */
function kindOf(method, path) {
  if (method === 'POST' && path.endsWith('/items')) return 'writes';
  if (method === 'DELETE') return 'deletes';
  if (method === 'POST' && path.endsWith('/responses')) return 'model';
  return method === 'GET' ? 'reads' : undefined;
}

function faultOf(kind, isSingle) {
  if (isCalm || kind === undefined) return undefined;
  const able = faults.filter((name) => name !== 'double' || !isSingle);
  const chances = able.map((name) => [name, (API_FAULTS[name]?.[kind] ?? 0) * rate]);
  const all = chances.reduce((sum, [, chance]) => sum + chance, 0);
  if (next() >= all) return undefined;
  return weighted(next, Object.fromEntries(chances));
}

const refusal = (status) =>
  Response.json(
    { error: { message: 'The server had an error', type: 'server_error', param: null, code: null } },
    { status },
  );

async function serve(request) {
  const { method, url, headers } = request;
  const body = method === 'GET' ? undefined : await request.text();
  const again = () =>
    simulator.handle(new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }));
  const applyLater = () => {
    underWay += 1;
    void sleep((next() * 60_000) / speed)
      .then(again)
      .finally(() => {
        underWay -= 1;
      });
  };
  const { pathname } = new URL(url);
  // The second delivery of a single item is not told from another writer's equal item: docs/exactly-once.md.
  const isSingle = kindOf(method, pathname) === 'writes' && JSON.parse(body).items?.length === 1;
  const fault = faultOf(kindOf(method, pathname), isSingle);
  if (fault !== undefined)
    struck.push({ fault, at: Date.now(), method, path: pathname, said: body?.match(/w\d+\.[\d.]+/g) });
  if (fault === 'refused') return refusal(500);
  if (fault === 'late') {
    applyLater();
    return refusal(504);
  }
  if (fault === 'late-silent') {
    applyLater();
    await sleep(60_000);
    return refusal(504);
  }
  if (fault === 'slow') await sleep((1000 + next() * 9000) / speed);
  const answer = await again();
  if (fault === 'double') await again();
  if (fault === 'dropped') throw new Error('The connection breaks');
  return answer;
}

let server = await listen(serve);
const { port, url } = server;
say({ url });
readLines(process.stdin, async ({ restart, calm, stats }) => {
  if (calm !== undefined) isCalm = calm;
  if (restart !== undefined) {
    await server.close();
    await sleep(restart);
    server = await listen(serve, { port });
    say({ restarted: true });
  }
  if (stats === true) say({ struck, sawDouble, underWay });
});
process.stdin.on('end', () => process.exit(0));
