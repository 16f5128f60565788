// Checks whether this commit can be released, and runs `npm test`. It publishes nothing: .github/workflows/release.yml does.
//
// node scripts/release.mjs [--tag v0.2.0]
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releaseProblems } from './release/check-release.mjs';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { tag: { type: 'string' } } });
const read = (path) => readFileSync(join(root, path), 'utf8');
const run = (command, args, stdio) => spawnSync(command, args, { cwd: root, encoding: 'utf8', stdio });

const apps = readdirSync(join(root, 'examples'), { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && entry.name !== 'node_modules',
);
const problems = releaseProblems({
  manifest: read('package.json'),
  lock: read('package-lock.json'),
  changelog: read('CHANGELOG.md'),
  examples: Object.fromEntries(
    apps.map(({ name }) => [`examples/${name}/package.json`, read(`examples/${name}/package.json`)]),
  ),
  tag: values.tag,
});
const { stdout } = run('git', ['status', '--porcelain'], 'pipe');
if (stdout.trim() !== '') problems.push('the working tree has changes: commit them');
if (problems.length > 0) {
  for (const problem of problems) console.error(`release: ${problem}`);
  process.exit(1);
}

const { status } = run('npm', ['test'], 'inherit');
if (status !== 0) process.exit(1);
const { version } = JSON.parse(read('package.json'));
console.log(
  values.tag === undefined
    ? `release: ${version} is ready. Next: git tag v${version} && git push origin v${version}`
    : `release: ${version} is ready to be published`,
);
