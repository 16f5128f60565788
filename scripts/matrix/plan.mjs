// The cells of the matrix, and the chosen ones.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');
export const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
export const NEWEST = MANIFEST.devDependencies['@openai/agents'];

/** The SDKs, and the version of the client that each comes with. */
export const SDKS = {
  '0.8.5': '^6.26.0',
  '0.9.0': '^6.26.0',
  '0.11.0': '^6.35.0',
  '0.14.3': '^6.46.0',
  '0.17.2': '^7.2.0',
  [NEWEST]: MANIFEST.devDependencies.openai,
};
const NODES = ['20', '22', '24', '26'];
const OTHERS = { bun: '1.4.5', deno: '2.9.6' };

/** The suites of every SDK and of the newest Node, and those of the drivers that are built for each Node. */
const SUITES = ['test/flows', 'test/contracts/session.test.ts', 'test/runner'];
/** The suites of the other Nodes: `npm test` runs the rest on the oldest, and a feature that both ends have is there between. */
const SHORT_SUITES = SUITES.slice(1);
const DRIVERS = ['test/stores/sqlite-ledger.test.ts'];

/** @returns the names in the arguments that are no SDK and no runtime of the matrix. */
export function unknownIn({ sdk, runtime }) {
  const runtimes = new Set([...NODES.map((version) => `node${version}`), ...Object.keys(OTHERS)]);
  return [
    ...listed(sdk).filter((version) => SDKS[version] === undefined),
    ...listed(runtime).filter((name) => !runtimes.has(name)),
  ];
}

/**
 * The cells that were asked for; all where nothing was.
 *
 * A cell has a name, an SDK and, but for the Node that runs this, the program that runs it as a dependency. Every cell lives through
 * a few turns with the packed package; a cell with suites has the path of a Node.
 */
export function cellsOf({ sdk, runtime }) {
  const isAll = sdk === undefined && runtime === undefined;
  const sdks = isAll ? Object.keys(SDKS) : listed(sdk);
  const nodes = NODES.filter((version) => isAll || listed(runtime).includes(`node${version}`));
  const others = Object.keys(OTHERS).filter((name) => isAll || listed(runtime).includes(name));
  return [
    ...nodes.map((version) => ({
      name: `sdk ${NEWEST}, node ${version}`,
      sdk: NEWEST,
      program: { name: `n${version}`, version: `npm:node-${process.platform}-${process.arch}@${version}` },
      node: join('node_modules', `n${version}`, 'bin', 'node'),
      suites: [...(isAll && version !== NODES.at(-1) ? SHORT_SUITES : SUITES), ...DRIVERS],
    })),
    ...sdks
      // With the newest one they are the Nodes' cells.
      .filter((version) => version !== NEWEST || nodes.length === 0)
      .toReversed()
      .map((version) => ({ name: `sdk ${version}`, sdk: version, node: process.execPath, suites: SUITES })),
    ...others.map((name) => ({ name, sdk: NEWEST, program: { name, version: OTHERS[name] } })),
  ];
}

function listed(names) {
  return names?.split(',') ?? [];
}
