import { expect, test } from 'vitest';
import { releaseProblems, type ReleaseTree } from '../scripts/release/check-release.mjs';

const CHANGELOG =
  '# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- Add a thing.\n\n## [0.1.0]\n\n- Add all.\n';

const READY: ReleaseTree = {
  manifest: '{ "name": "agents-hybrid-session", "version": "0.2.0" }',
  lock: '{ "version": "0.2.0" }',
  changelog: CHANGELOG,
  examples: { 'examples/chat/package.json': '{ "dependencies": { "agents-hybrid-session": "0.2.0" } }' },
  tag: 'v0.2.0',
};

test('a tree with its changes under its version can be released', () => {
  expect(releaseProblems(READY)).toEqual([]);
  expect(releaseProblems({ ...READY, tag: undefined })).toEqual([]);
  const without = CHANGELOG.replace('## [Unreleased]\n\n', '');
  expect(releaseProblems({ ...READY, changelog: without })).toEqual([]);
});

test.each<[string, Partial<ReleaseTree>, string]>([
  ['a tag of another version', { tag: 'v0.2.1' }, 'the tag v0.2.1 is not that of version 0.2.0'],
  ['a lock file of another version', { lock: '{ "version": "0.1.0" }' }, 'run npm install'],
  [
    'an example that pins another version',
    {
      examples: { 'examples/chat/package.json': '{ "dependencies": { "agents-hybrid-session": "0.1.0" } }' },
    },
    'examples/chat/package.json: agents-hybrid-session is 0.1.0, must be 0.2.0',
  ],
  ['a version without a section', { changelog: CHANGELOG.replace('0.2.0', '0.3.0') }, 'no section [0.2.0]'],
  [
    'a section without a date',
    { changelog: CHANGELOG.replace(' - 2026-12-01', '') },
    "write '## [0.2.0] - YEAR-MONTH-DAY'",
  ],
  [
    'a section without changes',
    { changelog: CHANGELOG.replace('- Add a thing.', '') },
    '[0.2.0] lists no change',
  ],
  [
    'changes left under Unreleased',
    { changelog: CHANGELOG.replace('[Unreleased]\n', '[Unreleased]\n\n- Add more.\n') },
    '[Unreleased] has changes',
  ],
  [
    'a section below an older one',
    {
      changelog: CHANGELOG.replace('## [0.2.0]', '## [0.3.0]').replace(
        '## [0.1.0]',
        '## [0.2.0] - 2026-12-01',
      ),
    },
    '[0.2.0] is not the newest section',
  ],
])('%s cannot be released', (_name, change, problem) => {
  expect(releaseProblems({ ...READY, ...change }).join('\n')).toContain(problem);
});
