// The text of docs/reference.md.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Declarations, docOf } from './declarations.mjs';

const NO_DOC = { text: '', tags: [] };

const INTRODUCTION = `# Reference

\`npm run reference\` writes this page from the docstrings in \`src/\`. Change those, not this file.
`;

/** Entry points with their own sections below; all exports of a package's other entry points follow by name. */
const INDEX = 'src/index.ts';

/** The class that the errors extend. */
const BASE = 'HybridSessionError';

/** The page for the sources in a folder. */
export async function referencePage(root) {
  const declarations = new Declarations(root);
  const entries = await entryPoints(root);
  const exported = new Map();
  for (const { path } of entries) exported.set(path, await declarations.exportsOf(path));
  const index = exported.get(INDEX) ?? [];
  const named = (name) => index.find((one) => one.name === name);
  const sections = [
    entryTable(entries, exported),
    await optionSection(declarations, named('HybridSessionOptions')),
    sessionSection(named('HybridSession')),
    await eventSection(declarations, named('HybridSessionEvent')),
    codeSection('Warning codes', 'The `code` of a `warning` event.', named('WarningCode')),
    errorSection(index),
    await exitSection(root),
  ];
  const own = new Set([
    'HybridSessionOptions',
    'HybridSession',
    'HybridSessionEvent',
    'TurnEvent',
    'WarningEvent',
    'WarningCode',
    ...index.filter(({ name }) => name.endsWith('Error') && name !== BASE).map(({ name }) => name),
  ]);
  const described = new Set();
  for (const { path, name } of entries) {
    const list = (exported.get(path) ?? []).filter(
      (one) => (path !== INDEX || !own.has(one.name)) && !described.has(`${one.file} ${one.name}`),
    );
    for (const one of list) described.add(`${one.file} ${one.name}`);
    if (list.length > 0) sections.push(await exportSection(declarations, name, list));
  }
  const shown = sections.filter((section) => section !== '');
  return `${[INTRODUCTION, contents(shown), ...shown].join('\n').trimEnd()}\n`;
}

/** Links to the sections, on one line. */
function contents(sections) {
  const headings = sections.map((section) => /^## (.+)$/m.exec(section)?.[1] ?? '');
  const links = headings.map(
    (heading) =>
      `[${heading}](#${heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')})`,
  );
  return `${links.join(' · ')}\n`;
}

/** The entry points that package.json exports, each with its source. */
async function entryPoints(root) {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return Object.entries(manifest.exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([door, target]) => ({
      name: `${manifest.name}${door.slice(1)}`,
      path: target.import.types.replace('./dist/esm/', '').replace(/\.d\.ts$/, '.ts'),
    }));
}

function entryTable(entries, exported) {
  const rows = entries.map(({ name, path }) => {
    const values = (exported.get(path) ?? [])
      .filter(({ isType }) => !isType)
      .map(({ name }) => `\`${name}\``);
    return [`\`${name}\``, values.join(', ')];
  });
  return `## Entry points\n\n${table(['import', 'functions, classes and constants'], rows)}`;
}

async function optionSection(declarations, options) {
  if (options === undefined) return '';
  const parts = [
    `## Options\n\n${paragraphs(options.doc)}\n`,
    fieldTable(shownBy(options.source, options.node.body.body)),
  ];
  for (const member of options.node.body.body) {
    const type = member.typeAnnotation?.typeAnnotation;
    const inner = literalsOf(type)[0];
    if (inner !== undefined && inner.members.length > 1)
      parts.push(`### \`${member.key.name}\`\n`, fieldTable(shownBy(options.source, inner.members)));
    for (const name of namesOf(type)) {
      const found = name.endsWith('Options') ? await declarations.find(options.file, name) : undefined;
      if (found?.node.type === 'TSInterfaceDeclaration')
        parts.push(
          `### \`${member.key.name}\`\n\n${paragraphs(found.doc)}\n`,
          fieldTable(shownBy(found.source, found.node.body.body)),
        );
    }
  }
  return parts.join('\n');
}

function sessionSection(session) {
  if (session === undefined) return '';
  return `## HybridSession\n\n${paragraphs(session.doc)}\n\n${members(session)}`;
}

/** The public methods and getters of a class; an overload counts with the first one's docstring. */
function members({ node, source }) {
  const seen = new Set();
  const parts = [];
  for (const member of node.body.body) {
    const isPublic =
      ['ClassMethod', 'TSDeclareMethod', 'ClassProperty'].includes(member.type) &&
      !member.computed &&
      member.accessibility !== 'private';
    if (!isPublic || seen.has(member.key.name)) continue;
    seen.add(member.key.name);
    const signature = signatureOf(member, source);
    parts.push(`### \`${signature}\`\n\n${described(docOf(member))}`);
  }
  return parts.join('\n');
}

async function eventSection(declarations, event) {
  if (event === undefined) return '';
  const told = listed(event.doc.text);
  const parts = [`## Events\n\n${withoutList(event.doc.text)}\n`];
  for (const member of event.node.typeAnnotation.types ?? [event.node.typeAnnotation]) {
    const { fields, doc } = await flattened(declarations, event.file, member, event.source);
    const type = fields.find(({ key }) => key.name === 'type');
    const literal = type?.typeAnnotation.typeAnnotation.literal?.value ?? '?';
    const about = told.get(literal) ?? doc.text;
    const others = fields.filter(({ key }) => !['type', 'sessionId'].includes(key.name));
    parts.push(`### \`${literal}\`\n\n${sentence(about)}\n`, fieldTable(others));
  }
  return parts.join('\n');
}

/** The fields of a union's member: of a literal, of a named type, or of both where they are intersected. */
async function flattened(declarations, file, node, source) {
  const plain = node.type === 'TSParenthesizedType' ? node.typeAnnotation : node;
  if (plain.type === 'TSTypeLiteral') return { fields: shownBy(source, plain.members), doc: NO_DOC };
  if (plain.type === 'TSIntersectionType') {
    const all = [];
    for (const one of plain.types) all.push(await flattened(declarations, file, one, source));
    return {
      fields: all.flatMap(({ fields }) => fields),
      doc: all.find(({ doc }) => doc.text !== '')?.doc ?? NO_DOC,
    };
  }
  const found = await declarations.find(file, plain.typeName?.name);
  if (found === undefined) return { fields: [], doc: NO_DOC };
  if (found.node.type !== 'TSInterfaceDeclaration') {
    const inner = await flattened(declarations, found.file, found.node.typeAnnotation, found.source);
    return { ...inner, doc: found.doc };
  }
  const inherited = [];
  for (const { expression } of found.node.extends ?? [])
    inherited.push(
      ...(await flattened(declarations, found.file, { typeName: expression }, found.source)).fields,
    );
  const own = shownBy(found.source, found.node.body.body);
  const names = new Set(own.map(({ key }) => key?.name));
  return { fields: [...inherited.filter(({ key }) => !names.has(key?.name)), ...own], doc: found.doc };
}

/** Members that remember the file that their text is in. */
const shownBy = (source, fields) => fields.map((field) => ({ ...field, shown: source }));

/** A union of texts, each with the words of the docstring's list. */
function codeSection(title, introduction, codes) {
  if (codes === undefined) return '';
  const told = listed(codes.doc.text);
  const values = (codes.node.typeAnnotation.types ?? [codes.node.typeAnnotation]).map(
    ({ literal }) => literal.value,
  );
  const rows = values.map((value) => [`\`${value}\``, sentence(told.get(value) ?? '')]);
  return `## ${title}\n\n${introduction} ${withoutList(codes.doc.text)}\n\n${table(['code', 'when'], rows)}`;
}

function errorSection(index) {
  const errors = index.filter(({ name }) => name.endsWith('Error'));
  const base = errors.find(({ name }) => name === BASE);
  const parts = [`## Errors\n\n${base === undefined ? '' : paragraphs(base.doc)}\n`];
  for (const { name, node, source, doc } of errors) {
    if (name === BASE) continue;
    const fields = node.body.body.filter(
      ({ type, accessibility, static: isStatic }) =>
        type === 'ClassProperty' && accessibility !== 'private' && isStatic !== true,
    );
    const { value } = fields.find(({ key }) => key.name === 'code') ?? {};
    const others = fields.filter(({ key }) => key.name !== 'code' && key.name !== 'name');
    parts.push(
      `### \`${value?.value ?? value?.expression?.value}\`: \`${name}\`\n\n${described(doc)}`,
      fieldTable(shownBy(source, others)),
    );
  }
  return parts.join('\n');
}

/** The exit codes of each command, from the last lines of its help. */
async function exitSection(root) {
  const rows = [];
  const files = [];
  for (const name of (await readdir(join(root, 'src/cli'), { recursive: true })).toSorted())
    if (name.endsWith('.ts')) files.push({ name, text: await readFile(join(root, 'src/cli', name), 'utf8') });
  const constants = new Map(files.flatMap(({ text }) => numbersOf(text)));
  for (const { name, text } of files) {
    const codes = /Exit codes: ([\s\S]*?)\.\n/.exec(text)?.[1];
    if (codes === undefined) continue;
    const command = name.startsWith('commands') ? `\`${basename(name, '.ts')}\`` : 'any';
    rows.push([
      command,
      flat(codes.replaceAll(/\$\{(\w+)\}/g, (_, constant) => constants.get(constant) ?? constant)),
    ]);
  }
  return `## Exit codes\n\nAn error says on standard error what to try instead. [The commands](cli.md).\n\n${table(['command', 'exit codes'], rows)}`;
}

/** The numbers that a file names: `const FAILED = 70;` and `const [A, B] = [1, 2];`. */
function numbersOf(text) {
  return [
    ...text.matchAll(/^(?:export )?const \[?([A-Z_, ]+)\]? = \[?([\d, ]+)\]?(?: as const)?;/gm),
  ].flatMap(([, names, values]) => names.split(', ').map((name, at) => [name, values.split(', ')[at]]));
}

async function exportSection(declarations, name, list) {
  const values = list.filter(({ isType }) => !isType);
  const types = list.filter(({ isType }) => isType);
  const parts = [`## ${name}\n`];
  for (const one of [...values, ...types]) parts.push(await exportText(declarations, one));
  return parts.join('\n');
}

async function exportText(declarations, { name, node, nodes, source, doc, file }) {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'TSDeclareFunction': {
      const shown = nodes.some(({ type }) => type === 'TSDeclareFunction')
        ? nodes.filter(({ type }) => type === 'TSDeclareFunction')
        : nodes;
      const signatures = shown.map((one) => signatureOf(one, source));
      return `### \`${name}()\`\n\n${code(signatures)}\n\n${described(doc)}`;
    }
    case 'ClassDeclaration':
      return `### \`${name}\`\n\n${described(doc)}\n${members({ node, source }).replaceAll(/^###/gm, '####')}`;
    case 'TSInterfaceDeclaration': {
      const { fields } = await flattened(declarations, file, { typeName: { name } }, source);
      return `### \`${name}\`\n\n${described(doc)}\n${fieldTable(fields)}`;
    }
    case 'TSTypeAliasDeclaration':
      return `### \`${name}\`\n\n${described(doc)}\n${code([collapsed(source.text(node.typeAnnotation))])}\n`;
    default: {
      const declared = node.declarations.find(({ id }) => id.name === name);
      const type = declared.id.typeAnnotation;
      return `### \`${name}\`\n\n${type == null ? '' : `${code([collapsed(source.text(type.typeAnnotation))])}\n\n`}${described(doc)}`;
    }
  }
}

/** A function or method without its body, on one line. */
function signatureOf(node, source) {
  const name = node.id?.name ?? node.key.name;
  if (node.kind === 'get' || node.type === 'ClassProperty') return `${name}: ${typeText(node, source)}`;
  const params = node.params.map((param) => source.text(param)).join(', ');
  const typeParameters = node.typeParameters == null ? '' : source.text(node.typeParameters);
  const returns = node.returnType == null ? '' : source.text(node.returnType);
  return collapsed(`${node.static === true ? 'static ' : ''}${name}${typeParameters}(${params})${returns}`);
}

/** The members of an interface; methods with their parameters. */
function fieldTable(fields) {
  const rows = fields
    .filter(({ type }) =>
      ['TSPropertySignature', 'TSMethodSignature', 'TSCallSignatureDeclaration', 'ClassProperty'].includes(
        type,
      ),
    )
    .map((field) => {
      const { shown } = field;
      const doc = docOf(field);
      const name = field.type === 'TSCallSignatureDeclaration' ? '(call)' : shown.text(field.key);
      const { text, value } = defaultOf(doc);
      return {
        name: `\`${name}\`${field.optional === true ? '?' : ''}`,
        type: `\`${cell(typeText(field, shown))}\``,
        value,
        text: joined(text, doc),
      };
    });
  if (rows.length === 0) return '';
  const hasDefault = rows.some(({ value }) => value !== '');
  return hasDefault
    ? table(
        ['name', 'type', 'default', 'meaning'],
        rows.map(({ name, type, value, text }) => [name, type, value, text]),
      )
    : table(
        ['name', 'type', 'meaning'],
        rows.map(({ name, type, text }) => [name, type, text]),
      );
}

function typeText(field, source) {
  if (field.type === 'TSMethodSignature' || field.type === 'TSCallSignatureDeclaration') {
    const params = (field.parameters ?? field.params ?? []).map((one) => source.text(one)).join(', ');
    const returns = (field.typeAnnotation ?? field.returnType)?.typeAnnotation;
    return collapsed(`(${params}) => ${returns === undefined ? 'unknown' : source.text(returns)}`);
  }
  const type = field.returnType ?? field.typeAnnotation;
  const text = type == null ? 'unknown' : collapsed(source.text(type.typeAnnotation));
  return field.optional === true ? text.replace(/ \| undefined$/, '') : text;
}

/** The default of an option: its `@default`, or the sentence that begins so. */
function defaultOf(doc) {
  const tag = doc.tags.find(({ name }) => name === 'default');
  if (tag !== undefined) return { text: flat(doc.text), value: flat(tag.text) };
  const text = flat(doc.text);
  const [sentenceOf, value] = /(?:^| )Default:? ((?:`[^`]*`|[^.`]|\.(?! |$))+)\.(?= |$)/.exec(text) ?? [];
  if (value === undefined) return { text, value: '' };
  return { text: text.replace(sentenceOf, '').trim(), value };
}

function joined(text, doc) {
  const thrown = doc.tags
    .filter(({ name }) => name === 'throws')
    .map((tag) => `Throws ${linked(flat(tag.text))}`);
  const returned = doc.tags
    .filter(({ name }) => name === 'returns')
    .map((tag) => `Returns ${flat(tag.text)}`);
  return [text, ...returned, ...thrown].filter((one) => one !== '').join(' ');
}

/** A docstring as paragraphs, with its return value, errors and example. */
function described(doc) {
  const parts = [paragraphs(doc)];
  for (const { name, text } of doc.tags) {
    if (name === 'returns') parts.push(`Returns ${flat(text)}`);
    if (name === 'throws') parts.push(`Throws ${linked(flat(text))}`);
    if (name === 'see') parts.push(`See ${linkedTo(text)}.`);
    if (name === 'default') parts.push(`Default: ${flat(text)}`);
    if (name === 'example') parts.push(text.startsWith('```') ? text : code([text]));
  }
  return `${parts.filter((one) => one !== '').join('\n\n')}\n`;
}

const linkedTo = (text) => `\`${flat(text).replace(/\.$/, '')}\``;

const linked = (text) => text.replace(/^(\w+Error)\b/, '`$1`');

/** Paragraphs with their lines joined; lists keep theirs. */
function paragraphs({ text }) {
  return text
    .split(/\n\n+/)
    .map((one) => (/^- /m.test(one) ? one.replaceAll(/\n {2,}/g, ' ') : one.replaceAll('\n', ' ')))
    .join('\n\n');
}

/** The entries of a list such as "- `lost`: the conversation ...", by name. */
function listed(text) {
  const entries = text.split(/\n(?=- `)/).filter((one) => one.startsWith('- `'));
  return new Map(
    entries.map((entry) => {
      const [, name = '', words = ''] = /^- `([^`]+)`: ?([\s\S]*)$/.exec(entry.split('\n\n')[0]) ?? [];
      return [name, flat(words)];
    }),
  );
}

const withoutList = (text) => flat(text.split(/\n- `/)[0] ?? '');

const sentence = (text) => (text === '' ? '' : text[0].toUpperCase() + text.slice(1));

const flat = (text) => text.replaceAll(/\s+/g, ' ').trim();

/** A type on one line; comments in it are docstrings of its members. */
const collapsed = (text) =>
  flat(text.replaceAll(/\/\*[\s\S]*?\*\//g, ''))
    .replace(/^\| /, '')
    .replaceAll(/readonly (?=\w+\??:)/g, '');

const cell = (text) => text.replaceAll(/(?<!\\)\|/g, '\\|');

const row = (cells) => `| ${cells.map((one) => cell(one)).join(' | ')} |\n`;

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => row(cells)).join('');
}

const code = (lines) => `\`\`\`ts\n${lines.join('\n')}\n\`\`\``;

/** The object literals that a type is made of. */
function literalsOf(type) {
  if (type?.type === 'TSTypeLiteral') return [type];
  if (type?.type === 'TSUnionType') return type.types.flatMap((one) => literalsOf(one));
  return [];
}

/** The names of types that a type is made of. */
function namesOf(type) {
  if (type?.type === 'TSTypeReference') return type.typeName.name === undefined ? [] : [type.typeName.name];
  if (type?.type === 'TSUnionType') return type.types.flatMap((one) => namesOf(one));
  return [];
}
