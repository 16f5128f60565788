// Packs the package as it would be published (which builds it) and checks the tarball with publint and attw.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(tmpdir(), 'package-check-'));

function run(command, args, stdio) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8' });
  if (status !== 0) {
    if (stdout) process.stderr.write(stdout);
    process.stderr.write(`package:check: '${command} ${args[0]}' failed\n`);
  }
  return { ok: status === 0, stdout };
}

try {
  const packed = run('npm', ['pack', '--json', '--pack-destination', folder], ['ignore', 'pipe', 'inherit']);
  const tarball = packed.ok ? join(folder, JSON.parse(packed.stdout)[0].filename) : undefined;
  const ok =
    tarball !== undefined &&
    run('publint', ['run', tarball, '--strict'], 'inherit').ok &&
    run('attw', [tarball, '--no-definitely-typed', '--no-emoji'], 'inherit').ok;
  process.exitCode = ok ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
