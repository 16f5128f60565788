import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { sourceFiles, type SourceFile } from './support/source-files.ts';

const src = sourceFiles('src');
const mocks = sourceFiles('mocks');
const all = new Map([...src, ...mocks].map((file) => [file.path, file]));

/** Which rooms each room may know. The doors know them all; nobody knows a door but the programs of the CLI. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  ledger: ['errors'],
  rollout: ['errors'],
  history: ['ledger', 'errors'],
  model: ['ledger', 'errors'],
  stores: ['ledger', 'errors'],
  telemetry: ['history', 'model', 'ledger', 'rollout', 'errors'],
  // The model declares the chain that it asks; the session answers.
  session: ['telemetry', 'history', 'model', 'ledger', 'rollout', 'stores', 'errors'],
  transfer: ['ledger', 'errors'],
  inspection: ['ledger', 'errors'],
  runner: ['session', 'model', 'ledger', 'errors'],
  doctor: ['session', 'history', 'ledger', 'transfer', 'errors'],
  cli: ['index.ts', 'sqlite.ts', 'redis.ts', 'postgres.ts', 'mocks'],
};

/** Files that decide and never do: the same input gives the same answer. */
const PURE = [
  /^src\/ledger\/canonical-[a-z-]+\.ts$/,
  /^src\/ledger\/(?:digest|json|base64|copy-json|ledger-state|apply-records|next-head)\.ts$/,
  /^src\/history\/(?:reconcile|relink|restore|match-base|align|longest-increasing|finding|listed-item)\.ts$/,
  /^src\/model\/(?:plan|parent-refusal)\.ts$/,
  /^src\/telemetry\/session-stats\.ts$/,
  /^src\/session\/forecast\.ts$/,
  /^src\/transfer\/(?:item-view|media-view|markdown)\.ts$/,
  /^src\/doctor\/(?:align-views|time-order|confirmed|truth|turn-placement|reconstruct|supposed-state|known-places|response-bounds|timeline|judge)\.ts$/,
];

/** `ledger` of `src/ledger/digest.ts`, `index.ts` of `src/index.ts`, `mocks` of anything there. */
function roomOf(path: string): string {
  const [top = '', room = ''] = path.split('/');
  return top === 'src' ? room : top;
}

const isDoor = (path: string): boolean => /^src\/[^/]+\.ts$/.test(path);

/** What a file says, without comments and imports of types, one statement a line. */
function statements({ text }: SourceFile): string[] {
  return text
    .replace(/^#!.*\n/, '')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .split(/;\n/)
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter((statement) => statement !== '');
}

/** Everything that is loaded with a file, itself included. */
function loadedWith(path: string, loaded: Set<string> = new Set()): Set<string> {
  if (loaded.has(path)) return loaded;
  loaded.add(path);
  for (const { target, own, types } of all.get(path)?.imports ?? [])
    if (own && !types) loadedWith(target, loaded);
  return loaded;
}

/** The first circle that is loaded with a file, as the paths along it. */
function circle(path: string, way: readonly string[], done: Set<string>): readonly string[] | undefined {
  const at = way.indexOf(path);
  if (at !== -1) return [...way.slice(at), path];
  if (done.has(path)) return undefined;
  for (const { target, own, types } of all.get(path)?.imports ?? []) {
    const found = own && !types ? circle(target, [...way, path], done) : undefined;
    if (found !== undefined) return found;
  }
  done.add(path);
  return undefined;
}

const pathsWhere = (files: readonly SourceFile[], isSo: (file: SourceFile) => boolean): string[] =>
  files.filter((file) => isSo(file)).map(({ path }) => path);

const isKebab = (name: string): boolean => /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.ts)?$/.test(name);

const linesOf = ({ text }: SourceFile): number => text.trimEnd().split('\n').length;

test('every import is seen', () => {
  const unseen = [...all.values()].flatMap(({ path, imports }) =>
    imports.filter(({ target, own }) => own && !all.has(target)).map(({ target }) => `${path} -> ${target}`),
  );
  expect(unseen).toEqual([]);
  expect(src.length).toBeGreaterThan(50);
  expect(src.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
});

describe('doors', () => {
  const doors = src.filter(({ path }) => isDoor(path));

  test.each(doors.filter(({ path }) => path !== 'src/cli.ts'))('$path only exports', (file) => {
    const other = statements(file).filter(
      (statement) => !/^export (?:type )?[{*].* from '\.\/[^']+'$/.test(statement),
    );
    expect(other).toEqual([]);
  });

  test('the door of the program runs it and knows nothing else', () => {
    const cli = doors.find(({ path }) => path === 'src/cli.ts');
    const own = cli?.imports.filter((one) => one.own) ?? [];
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ target }) => roomOf(target) !== 'cli')).toEqual([]);
  });
});

describe('arrows', () => {
  const rooms = [
    ...new Set(src.filter(({ path }) => !isDoor(path)).map(({ path }) => roomOf(path))),
  ].toSorted();

  test('every room has its place', () => {
    expect(rooms).toEqual(Object.keys(ARROWS).toSorted());
  });

  test.each(rooms)('%s knows only what it may', (room) => {
    const allowed = new Set([room, ...(ARROWS[room] ?? [])]);
    const wrong = src
      .filter(({ path }) => roomOf(path) === room && !isDoor(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ target, own }) => own && !allowed.has(roomOf(target)))
          .map(({ target }) => `${path} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test('the session knows of stores its default alone', () => {
    const known = src
      .filter(({ path }) => roomOf(path) === 'session')
      .flatMap(({ imports }) => imports.filter(({ target, own }) => own && roomOf(target) === 'stores'));
    expect(known.map(({ target }) => target)).toEqual(['src/stores/memory-ledger.ts']);
  });

  test('the simulator stands alone', () => {
    const outside = mocks.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, own }) => own && roomOf(target) !== 'mocks')
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(outside).toEqual([]);
  });

  test('no file leads back to itself', () => {
    const done = new Set<string>();
    const circles = [...all.keys()].flatMap((path) => {
      const found = circle(path, [], done);
      return found === undefined ? [] : [found.join(' -> ')];
    });
    expect([...new Set(circles)]).toEqual([]);
  });
});

describe('packages', () => {
  test('are declared by whoever installs them', () => {
    const declared = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
    ]);
    const missing = [...all.values()].flatMap(({ path, imports }) =>
      imports
        .filter(({ target, own }) => !own && !target.startsWith('node:') && !declared.has(target))
        .filter(({ types }) => !types)
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });

  test('a store brings no driver along', () => {
    const loaded = src
      .filter(({ path }) => roomOf(path) === 'stores')
      .flatMap(({ imports }) => imports.filter(({ own, types }) => !own && !types))
      .map(({ target }) => target);
    expect(loaded.filter((target) => !target.startsWith('node:') && target !== 'zod')).toEqual([]);
  });
});

describe('pure files', () => {
  const pure = src.filter(({ path }) => PURE.some((pattern) => pattern.test(path)));

  test('are still there', () => {
    expect(PURE.filter((pattern) => !pure.some(({ path }) => pattern.test(path)))).toEqual([]);
  });

  test('load nothing that reaches outside', () => {
    const reaching = pure.flatMap(({ path }) =>
      [...loadedWith(path)].flatMap((loaded) =>
        (all.get(loaded)?.imports ?? [])
          .filter(({ own, types }) => !own && !types)
          .filter(({ target }) => target !== 'zod' && target !== 'node:crypto')
          .map(({ target }) => `${path} loads ${loaded} -> ${target}`),
      ),
    );
    expect(reaching).toEqual([]);
  });

  test('ask for no time, no chance and no network', () => {
    const outside =
      /\b(?:async|await|fetch|process|setTimeout|setImmediate|randomUUID|randomBytes)\b|Date\.now|new Date|Math\.random|performance\./;
    expect(pathsWhere(pure, ({ code }) => outside.test(code))).toEqual([]);
  });
});

describe('files', () => {
  test('are named in kebab-case', () => {
    expect(
      pathsWhere([...all.values()], ({ path }) => !path.split('/').every((name) => isKebab(name))),
    ).toEqual([]);
  });

  test('have one reason to change: none is longer than 250 lines', () => {
    expect(pathsWhere(src, (file) => linesOf(file) > 250)).toEqual([]);
  });

  test('half of them have fewer than 100 lines', () => {
    const lengths = src.map((file) => linesOf(file)).toSorted((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThan(100);
  });

  test('make no type of another out of nothing', () => {
    const forced = [/\bas unknown as\b/, /(?:[:<,|&=(]|\bas)\s*any\b/, /[\w)\]]!(?![=\w])/];
    // The SDK's own `run` is declared with agents of any kind.
    const wrong = pathsWhere(src, ({ code }) =>
      forced.some((pattern) => pattern.test(code.replaceAll('Agent<any, any>', ''))),
    );
    expect(wrong).toEqual([]);
  });

  test('none is a drawer for what has no place', () => {
    const drawers = new Set([
      'utils.ts',
      'util.ts',
      'helpers.ts',
      'helper.ts',
      'common.ts',
      'misc.ts',
      'shared.ts',
      'types.ts',
    ]);
    expect([...all.keys()].filter((path) => drawers.has(basename(path)))).toEqual([]);
    expect(src.filter(({ path }) => basename(path) === 'index.ts').map(({ path }) => path)).toEqual([
      'src/index.ts',
    ]);
  });

  test('no file of the library reads the environment', () => {
    const library = src.filter(({ path }) => roomOf(path) !== 'cli' && !isDoor(path));
    expect(pathsWhere(library, ({ code }) => /\bprocess\.env\b/.test(code))).toEqual([]);
  });
});
