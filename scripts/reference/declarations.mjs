// Reads exported declarations and their docstrings out of the sources.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from '@babel/parser';

/** One parsed file, with a lookup of its top-level declarations and imports. */
class Source {
  constructor(path, code) {
    this.path = path;
    this.code = code;
    this.body = parse(code, {
      sourceType: 'module',
      plugins: ['typescript', 'explicitResourceManagement'],
      attachComment: true,
    }).program.body;
  }

  text(node) {
    return this.code.slice(node.start, node.end);
  }
}

/** Reads the exports of entry points, each from the file that declares it. */
export class Declarations {
  #root;
  #sources = new Map();

  constructor(root) {
    this.#root = root;
  }

  /** The exports of an entry point, in the order of its lines. */
  async exportsOf(entry) {
    const source = await this.#source(entry);
    const found = [];
    for (const statement of source.body) {
      if (statement.type !== 'ExportNamedDeclaration' || statement.source == null) continue;
      const file = join(dirname(entry), statement.source.value);
      for (const specifier of statement.specifiers) {
        const declaration = await this.find(file, specifier.local.name);
        const isType = statement.exportKind === 'type' || specifier.exportKind === 'type';
        found.push({ ...declaration, name: specifier.exported.name, isType });
      }
    }
    return found;
  }

  /** The declaration that a name means in a file, imports followed. */
  async find(file, name) {
    const source = await this.#source(file);
    const overloads = [];
    for (const statement of source.body) {
      const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      if (node == null) continue;
      const names =
        node.type === 'VariableDeclaration' ? node.declarations.map(({ id }) => id.name) : [node.id?.name];
      if (names.includes(name)) overloads.push({ node, statement });
    }
    if (overloads.length > 0) {
      const [first] = overloads;
      const nodes = overloads.map(({ node }) => node);
      return { name, file, source, node: first.node, nodes, doc: docOf(first.statement) };
    }
    for (const statement of source.body) {
      const specifier = (statement.specifiers ?? []).find(({ local, exported }) =>
        statement.type === 'ImportDeclaration' ? local.name === name : exported?.name === name,
      );
      if (specifier === undefined || !statement.source?.value.startsWith('.')) continue;
      const original = (specifier.imported ?? specifier.local).name;
      return this.find(join(dirname(file), statement.source.value), original);
    }
    return undefined;
  }

  async #source(path) {
    const known = this.#sources.get(path);
    if (known !== undefined) return known;
    const source = new Source(path, await readFile(join(this.#root, path), 'utf8'));
    this.#sources.set(path, source);
    return source;
  }
}

/** The docstring right above a node, as paragraphs in Markdown and its tags. */
export function docOf(node) {
  const block = (node.leadingComments ?? []).findLast(
    ({ type, value }) => type === 'CommentBlock' && value.startsWith('*'),
  );
  const lines = (block?.value ?? '')
    .slice(1)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  const text = [];
  const tags = [];
  for (const line of lines) {
    // A tag may stand behind a sentence on the same line.
    const [, before = '', name, rest = ''] =
      /^(.*?)(?:^|(?<=\s))@(throws|returns|default|example|see|param|deprecated)\b ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) {
      const into = tags.at(-1);
      if (before.trim() !== '') (into === undefined ? text : into.lines).push(before.trim());
      tags.push({ name, lines: [rest] });
    } else (tags.at(-1)?.lines ?? text).push(line);
  }
  return {
    text: text.join('\n').trim(),
    tags: tags.map(({ name, lines: given }) => ({ name, text: given.join('\n').trim() })),
  };
}
