// Builds ESM and CommonJS from the one source. `dist` is replaced only after both compiled.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const dist = join(root, 'dist');
const next = join(root, 'dist', `.next-${process.pid}`);

try {
  for (const [project, format] of [
    ['scripts/tsconfig.esm.json', 'esm'],
    ['scripts/tsconfig.cjs.json', 'cjs'],
  ]) {
    execFileSync(process.execPath, [tsc, '-p', project, '--outDir', join(next, format)], {
      cwd: root,
      stdio: 'inherit',
    });
  }
} catch {
  // The compiler has said why.
  rmSync(next, { recursive: true, force: true });
  process.exit(1);
}
unwrapDriverImport(join(next, 'esm', 'src', 'stores', 'shared', 'import-driver.js'));
writeFileSync(join(next, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
chmodSync(join(next, 'esm', 'src', 'cli.js'), 0o755);
for (const format of ['esm', 'cjs']) {
  rmSync(join(dist, format), { recursive: true, force: true });
  renameSync(join(next, format), join(dist, format));
}
rmSync(next, { recursive: true });

/**
 * The compiler puts the name of an import into a helper for relative paths, together with the comments for bundlers. Turbopack
 * reads a comment directly behind the bracket alone.
 */
function unwrapDriverImport(path) {
  const code = readFileSync(path, 'utf8');
  const wrapped = /import\(__rewriteRelativeImportExtension\((\/\* webpackIgnore: true \*\/[^()]*)\)\)/;
  if (!wrapped.test(code)) throw new Error(`build: ${path} has no import to unwrap`);
  writeFileSync(path, code.replace(wrapped, 'import($1)'));
}
