import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import equivalents from '../scripts/mutation/equivalent.json' with { type: 'json' };
import { sourceFiles, type SourceFile } from './support/source-files.ts';
import { testTitles } from './support/test-titles.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const src = sourceFiles('src');
const mocks = sourceFiles('mocks');
const all = new Map([...src, ...mocks].map((file) => [file.path, file]));

/** The rooms that each room imports, as the drawing in CONTRIBUTING says. */
const ARROWS = new Map(
  [...read('CONTRIBUTING.md').matchAll(/^(\w+) +→ (.*)$/gm)].map(([, room = '', known = '']) => [
    room,
    known.split(' ').filter((name) => name !== '-'),
  ]),
);

/** Files that decide and never do: the same input gives the same answer. */
const PURE = [
  /^src\/items\/(?:canonical-[a-z-]+|digest|foreign-fields|model-input|reasoning|tool-calls|item-types|item-view|media-view)\.ts$/,
  /^src\/ledger\/(?:state|mutable-state|reducer|checkpoint)\.ts$/,
  /^src\/history\/(?:compare-list|unacknowledged-writes|duplicate-writes|restore|match-history|unreplayable)\.ts$/,
  /^src\/chaining\/(?:plan|parent-refusal|input-refusal)\.ts$/,
  /^src\/telemetry\/stats\.ts$/,
  /^src\/runtime\/forecast\.ts$/,
  /^src\/util\/(?:align|copy-json|escape-controls|json|retry-after|url-segment)\.ts$/,
  /^src\/transfer\/markdown\.ts$/,
  /^src\/doctor\/reconstruct\/[a-z-]+\.ts$/,
  /^src\/doctor\/(?:evidence\/sources|timeline|verdict)\.ts$/,
];

/** A title that begins so leaves its subject to its `describe`, and says too little in a log. */
const FRAGMENT =
  /^(?:is|are|was|were|of|that|with|without|which|who|whose|whom|and|or|but|has|have|does|can|cannot|may|must|where|when|in|on|for|from|to|by|at|as|after|before|though|also|too|not)\b/i;

/** So does a title that begins with one of these verbs. */
const VERB =
  /^(?:acknowledges|adds|adopts|appends|asks|begins|believes|belongs|binds|carries|catches|chains|changes|chooses|closes|comes|continues|costs|counts|creates|deletes|depends|digests|emits|encrypts|ends|erases|finds|flushes|forgets|gets|gives|goes|hands|hashes|holds|ignores|imports|keeps|knows|leads|leaves|lets|links|lists|lives|looks|loses|makes|means|moves|needs|notices|opens|overrules|owns|pairs|passes|places|prepares|proves|refuses|remembers|removes|replaces|reports|returns|rewrites|says|selects|sends|serves|shares|shows|spreads|stands|starts|stays|stores|survives|takes|tells|throws|traces|tries|uses) /;

/** `ledger` of `src/items/digest.ts`, `index.ts` of `src/index.ts`, `mocks` of anything there. */
function roomOf(path: string): string {
  const [top = '', room = ''] = path.split('/');
  return top === 'src' ? room : top;
}

const isDoor = (path: string): boolean => /^src\/[^/]+\.ts$/.test(path);

/** The statements of a file, without comments and imports of types, one a line. */
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

/** The first circle of imports that a file is on, as the paths along it. */
function circle(path: string, way: readonly string[], done: Set<string>): readonly string[] | undefined {
  const at = way.indexOf(path);
  if (at !== -1) return [...way.slice(at), path];
  if (done.has(path)) return undefined;
  for (const { target, own } of all.get(path)?.imports ?? []) {
    const found = own ? circle(target, [...way, path], done) : undefined;
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

  test.each(doors.filter(({ path }) => path !== 'src/cli.ts'))('entry point $path only exports', (file) => {
    const other = statements(file).filter(
      (statement) => !/^export (?:type )?[{*].* from '\.\/[^']+'$/.test(statement),
    );
    expect(other).toEqual([]);
  });

  test('every entry point is found without `exports`, too, as by the old resolution of TypeScript', () => {
    const subpaths = Object.entries(manifest.exports).flatMap(([path, built]) =>
      typeof built === 'string' || path === '.' ? [] : [[path.slice(2), [built.require.types]]],
    );
    expect(manifest.typesVersions['*']).toEqual(Object.fromEntries(subpaths));
  });

  test('the entry point of the program imports the CLI alone', () => {
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

  test('the drawing in CONTRIBUTING names every room', () => {
    expect([...ARROWS.keys()].toSorted()).toEqual(rooms);
  });

  test.each(rooms)('room %s imports the rooms that the drawing shows', (room) => {
    const imported = src
      .filter(({ path }) => roomOf(path) === room && !isDoor(path))
      .flatMap(({ imports }) => imports.filter(({ own }) => own).map(({ target }) => roomOf(target)));
    const others = new Set(imported.map((name) => (name.endsWith('.ts') ? 'index' : name)));
    others.delete(room);
    expect([...others].toSorted()).toEqual(ARROWS.get(room)?.toSorted());
  });

  test('no room imports itself through others', () => {
    const reached = (room: string, known: Set<string>): Set<string> => {
      for (const name of ARROWS.get(room) ?? []) if (!known.has(name)) reached(name, known.add(name));
      return known;
    };
    expect(rooms.filter((room) => reached(room, new Set()).has(room))).toEqual([]);
  });

  test('the session imports the default store alone', () => {
    const known = src
      .filter(({ path }) => ['runtime', 'session'].includes(roomOf(path)))
      .flatMap(({ imports }) => imports.filter(({ target, own }) => own && roomOf(target) === 'stores'));
    expect(known.map(({ target }) => target)).toEqual(['src/stores/memory.ts']);
  });

  test('every mutant listed as equivalent quotes a line of its file', () => {
    const lines = new Map(src.map(({ path, text }) => [path, text.split('\n').map((line) => line.trim())]));
    expect(equivalents.filter(({ file, line }) => lines.get(file)?.includes(line) !== true)).toEqual([]);
  });

  test('the simulator imports no other room', () => {
    const outside = mocks.flatMap(({ path, imports }) =>
      imports
        .filter(({ target, own }) => own && roomOf(target) !== 'mocks')
        .map(({ target }) => `${path} -> ${target}`),
    );
    expect(outside).toEqual([]);
  });

  test('no file imports itself through others', () => {
    const done = new Set<string>();
    const circles = [...all.keys()].flatMap((path) => {
      const found = circle(path, [], done);
      return found === undefined ? [] : [found.join(' -> ')];
    });
    expect([...new Set(circles)]).toEqual([]);
  });
});

describe('packages', () => {
  test('every imported package is declared', () => {
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

  test('no store imports a driver', () => {
    const loaded = src
      .filter(({ path }) => roomOf(path) === 'stores')
      .flatMap(({ imports }) => imports.filter(({ own, types }) => !own && !types))
      .map(({ target }) => target);
    expect(loaded.filter((target) => !target.startsWith('node:') && target !== 'zod')).toEqual([]);
  });
});

describe('pure files', () => {
  const pure = src.filter(({ path }) => PURE.some((pattern) => pattern.test(path)));

  test('every pattern of a pure file matches a file', () => {
    expect(PURE.filter((pattern) => !pure.some(({ path }) => pattern.test(path)))).toEqual([]);
  });

  test('pure files load no file with side effects', () => {
    const reaching = pure.flatMap(({ path }) =>
      [...loadedWith(path)].flatMap((loaded) =>
        (all.get(loaded)?.imports ?? [])
          .filter(({ own, types }) => !own && !types)
          .filter(({ target }) => !['zod', 'node:crypto', 'node:buffer'].includes(target))
          .map(({ target }) => `${path} loads ${loaded} -> ${target}`),
      ),
    );
    expect(reaching).toEqual([]);
  });

  test('pure files use no time, no chance and no network', () => {
    const outside =
      /\b(?:async|await|fetch|process|setTimeout|setImmediate|randomUUID|randomBytes)\b|Date\.now|new Date|Math\.random|performance\./;
    expect(pathsWhere(pure, ({ code }) => outside.test(code))).toEqual([]);
  });
});

describe('time', () => {
  test('src/util/clock.ts alone tells the time, so that a test can set it', () => {
    // Durations for reports, and limits on calls to other services.
    const others = new Set(['cli', 'telemetry', 'testing', 'rollout', 'stores']);
    const telling = pathsWhere(
      src.filter(({ path }) => !others.has(roomOf(path))),
      ({ code }) => /Date\.now|performance\.now|setTimeout|setInterval|new Date\(\)/.test(code),
    );
    expect(telling).toEqual(['src/util/clock.ts']);
  });

  test('no test has a time limit of its own', () => {
    const limited = pathsWhere(
      sourceFiles('test').filter(({ path }) => path.endsWith('.test.ts')),
      ({ text }) => /\{ timeout: [\d_]+ \}, (?:async )?\(|^\s*\}, [\d_]+\);$/m.test(text),
    );
    expect(limited).toEqual([]);
  });
});

describe('titles', () => {
  test('every title of a test names its subject', () => {
    const titles = sourceFiles('test').flatMap(({ path, text }) =>
      testTitles(text).map((title) => ({ path, title })),
    );
    expect(titles.length).toBeGreaterThan(1000);
    expect(titles.filter(({ title }) => FRAGMENT.test(title) || VERB.test(title))).toEqual([]);
  });
});

describe('files', () => {
  test('names of files and folders are kebab-case', () => {
    expect(
      pathsWhere([...all.values()], ({ path }) => !path.split('/').every((name) => isKebab(name))),
    ).toEqual([]);
  });

  test('no file is longer than 400 lines', () => {
    expect(pathsWhere(src, (file) => linesOf(file) > 400)).toEqual([]);
  });

  test('no folder holds more than 15 files', () => {
    const counts = new Map<string, number>();
    for (const path of all.keys()) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 15)).toEqual([]);
  });

  test('no file casts a type to an unrelated one', () => {
    const forced = [/\bas unknown as\b/, /(?:[:<,|&=(]|\bas)\s*any\b/, /[\w)\]]!(?![=\w])/];
    // The SDK's own `run` is declared with agents of any kind.
    const wrong = pathsWhere(src, ({ code }) =>
      forced.some((pattern) => pattern.test(code.replaceAll('Agent<any, any>', ''))),
    );
    expect(wrong).toEqual([]);
  });

  test('no file is named after a drawer like utils.ts', () => {
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
