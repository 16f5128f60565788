// The rooms whose rules are tried, and the tests that have to notice a broken rule.
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * The tests of other folders that count for a room. Stories test most rules of a mirror, a session, a store and a heal: a quick
 * part of them counts where a room has few tests of its own. A story that is told hundreds of times, or for seconds, does not: each
 * mutant that survives would wait for it.
 */
const STORIES = {
  items: ['test/doctor/html/diagnosis-page.test.ts', 'test/transfer/markdown.test.ts'],
  ledger: [],
  history: [],
  chaining: ['test/flows/{chain-decisions,chain-refusals,confirmed-parents,lost-reasoning}.test.ts'],
  util: [],
  mirror: [
    'test/flows/{conversation-outage,ledger-outages,slow-conversations,two-sessions,unreliable-list}.test.ts',
  ],
  heal: ['test/cli/commands/heal.test.ts'],
  doctor: ['test/cli/commands/{doctor,doctor-html}.test.ts'],
  stores: ['test/contracts/ledger-store.test.ts', 'test/flows/ledger-appends.test.ts'],
  session: ['test/flows/{interrupted-runs,resumed-turns,told-losses}.test.ts'],
  runtime: [
    'test/flows/{anchored-history,bookmark,history-reference,rewound-stores}.test.ts',
    'test/flows/{server-memory,session-names}.test.ts',
    'test/session/{any-mode,erase,find-session,keep-content,lifecycle,verify-writes-nothing}.test.ts',
  ],
  conversation: ['test/flows/{bookmark,conversation-outage,requests,unreliable-list}.test.ts'],
};

export const ROOMS = Object.keys(STORIES);

/**
 * The engines on which the tests of a store run: one of each kind, because every surviving mutant waits for all of them.
 * `TEST_ENGINES` takes their names.
 */
export const ENGINES = [
  'memory',
  'memory, encrypted',
  'memory, scoped',
  'SQLite, opened by path',
  'PGlite',
  'Redis',
].join(';');

/** Tests that load the sources themselves, open a browser, change the process, or take minutes for each mutant. */
export const EXCLUDED_TESTS = [
  'test/chaining/digest-work.test.ts',
  'test/chaining/equivalence/**',
  'test/doctor/html/browser.test.ts',
  'test/doctor/restored-items.test.ts',
  'test/session/any-sequence.test.ts',
  'test/stores/clear-races.test.ts',
  'test/stores/create-private-file.test.ts',
  'test/stores/export-import.test.ts',
  'test/stores/session-on-stores.test.ts',
  'test/stores/size-per-turn.test.ts',
];

/** @returns patterns of the room's own tests and of its stories. */
export function testsOf(room) {
  return [`test/${room}/**/*.test.ts`, ...(STORIES[room] ?? [])];
}

/**
 * The rules of these files are kept by scripts that only a server runs: without one, hardly a test reaches them, and their
 * mutants say nothing. With `TEST_REDIS_URL` they are tried.
 */
const NEEDS_REDIS = 'src/stores/redis/';

/** @returns the sources of a room whose rules can be tried here. */
export function filesOf(root, room) {
  const names = readdirSync(join(root, 'src', room), { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${room}/${name.split(sep).join('/')}`)
    .filter((file) => process.env['TEST_REDIS_URL'] !== undefined || !file.startsWith(NEEDS_REDIS))
    .toSorted();
}
