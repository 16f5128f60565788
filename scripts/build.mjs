// Builds the package. `dist/import` and `dist/require` are what an app loads: bundles, because Node takes a quarter of a millisecond
// for each file that it loads. `dist/esm` holds the same modules one by one, for the project's own programs and tests, and the types
// of both; `dist/cjs` the types for CommonJS. `dist` is replaced only after everything was built.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const dist = join(root, 'dist');
const next = join(root, 'dist', `.next-${process.pid}`);

try {
  for (const format of ['esm', 'cjs']) {
    const project = `scripts/tsconfig.${format}.json`;
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
await bundle('import', 'esm');
await bundle('require', 'cjs');
for (const folder of ['cjs', 'require'])
  writeFileSync(join(next, folder, 'package.json'), '{ "type": "commonjs" }\n');
for (const cli of ['esm/src/cli.js', 'import/cli.js']) chmodSync(join(next, cli), 0o755);
mkdirSync(dist, { recursive: true });
for (const folder of ['esm', 'cjs', 'import', 'require']) {
  rmSync(join(dist, folder), { recursive: true, force: true });
  renameSync(join(next, folder), join(dist, folder));
}
rmSync(next, { recursive: true });

/** Whether a module is of a store that imports its driver. */
function isDriver(id) {
  return /\/stores\/(?:located|sqlite|redis|postgres|mysql)\/|\/import-driver\.js$/.test(id);
}

/** Bundles every entry point for one way of loading; what several of them need is in files that they share. */
async function bundle(folder, format) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const input = folder === 'import' ? { cli: join(next, 'esm', 'src', 'cli.js') } : {};
  for (const { [folder]: target } of Object.values(exports)) {
    if (target === undefined) continue;
    const name = target.default.slice(`./dist/${folder}/`.length, -'.js'.length);
    // The types lie where the module of the entry point does.
    const module = target.types.replace(/^\.\/dist\/(?:esm|cjs)\//, '').replace(/\.d\.ts$/, '.js');
    input[name] = join(next, 'esm', module);
  }
  const core = importedFrom(input.index);
  const bundled = await rolldown({
    input,
    external: (id) => !/^[./]/.test(id),
    platform: 'node',
    preserveEntrySignatures: 'allow-extension',
  });
  await bundled.write({
    dir: join(next, folder),
    format,
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name]-[hash].js',
    // One file for what the main entry point needs, instead of one for each set of entry points that shares modules. The stores are
    // in another one: a bundler leaves out whole files that an app does not use, and workerd takes no import of a driver.
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'stores', test: isDriver },
        { name: 'core', test: (id) => core.has(id) && id !== input.index && !isDriver(id) },
      ],
    },
  });
  await bundled.close();
}

/** The modules that a module imports, and those that these import. */
function importedFrom(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const [, source] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export) [^;]*?['"](\.[^'"]+)['"];$/gm,
  ))
    importedFrom(join(dirname(path), source), found);
  return found;
}

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
