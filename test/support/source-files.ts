import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An import or re-export of a file. */
export interface Import {
  /** A path from the project's root for a file of its own, else the name of the package. */
  readonly target: string;
  readonly own: boolean;
  /** Whether nothing of it is left at run time. */
  readonly types: boolean;
}

/** A TypeScript file of the project. */
export interface SourceFile {
  /** From the project's root, such as `src/items/digest.ts`. */
  readonly path: string;
  readonly text: string;
  /** Its text without comments and without quoted strings. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const COMMENTS_AND_TEXTS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const STATIC = /^(?:import|export)\s(?<clause>[^'";]*?)\sfrom\s+'(?<target>[^']+)'/gm;
const BARE = /^import\s+'(?<target>[^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'(?<target>[^']+)'\s*\)/g;

/** Every TypeScript file under a folder of the project. */
export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => sourceFile(`${folder}/${name}`));
}

function sourceFile(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = [
    ...Array.from(text.matchAll(STATIC), ({ groups }) => read(path, groups?.['target'], groups?.['clause'])),
    ...Array.from(text.matchAll(BARE), ({ groups }) => read(path, groups?.['target'], '')),
    ...Array.from(text.matchAll(DYNAMIC), ({ groups }) => read(path, groups?.['target'], '')),
  ];
  return { path, text, code: text.replaceAll(COMMENTS_AND_TEXTS, "''"), imports };
}

function read(path: string, target = '', clause = ''): Import {
  const own = target.startsWith('.');
  return {
    target: own
      ? normalize(join(dirname(path), target))
      : (/^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target),
    own,
    types: isTypes(clause.trim()),
  };
}

function isTypes(clause: string): boolean {
  if (clause.startsWith('type ')) return true;
  const names = /^\{(?<names>[^}]*)\}$/.exec(clause)?.groups?.['names']?.split(',');
  return names?.every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false;
}
