// Whether a tree can be released: pure, so that a test can ask it anything.

const SEMVER = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

/**
 * @param files the texts of `package.json`, `package-lock.json`, `CHANGELOG.md` and of the manifests in `examples/`.
 * @param tag the tag that starts the release, if there is one yet.
 * @returns the problems, each with the way to mend it.
 */
export function releaseProblems({ manifest, lock, changelog, examples, tag }) {
  const { name, version } = JSON.parse(manifest);
  const problems = [];
  if (!SEMVER.test(version)) problems.push(`package.json: '${version}' is no version`);
  if (tag !== undefined && tag !== `v${version}`)
    problems.push(`the tag ${tag} is not that of version ${version}: use v${version}`);
  if (JSON.parse(lock).version !== version)
    problems.push('package-lock.json: another version; run npm install');
  for (const [path, text] of Object.entries(examples)) {
    const pinned = JSON.parse(text).dependencies?.[name];
    if (pinned !== undefined && pinned !== version)
      problems.push(`${path}: ${name} is ${pinned}, must be ${version}`);
  }
  return [...problems, ...changelogProblems(changelog, version)];
}

function changelogProblems(changelog, version) {
  const sections = changelog.split(/^(?=## \[)/m).slice(1);
  const at = sections.findIndex((text) => text.startsWith(`## [${version}]`));
  const section = sections[at];
  if (section === undefined)
    return [`CHANGELOG.md: no section [${version}]; rename [Unreleased], and add a new one`];
  const problems = [];
  const [heading = '', ...lines] = section.trimEnd().split('\n');
  if (!/^## \[[^\]]+\] - \d{4}-\d{2}-\d{2}$/.test(heading))
    problems.push(`CHANGELOG.md: write '## [${version}] - YEAR-MONTH-DAY'`);
  if (!lines.some((line) => line.startsWith('- ')))
    problems.push(`CHANGELOG.md: [${version}] lists no change`);
  const unreleased = sections.findIndex((text) => text.startsWith('## [Unreleased]'));
  if (at !== (unreleased === -1 ? 0 : 1))
    problems.push(`CHANGELOG.md: [${version}] is not the newest section`);
  if (unreleased !== -1 && sections[unreleased]?.includes('\n- '))
    problems.push(`CHANGELOG.md: [Unreleased] has changes; move them to [${version}]`);
  return problems;
}
