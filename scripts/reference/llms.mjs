// The text of llms.txt: every page with its title, its first sentence and its headings, for programs that read documentation.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FIRST = ['README.md', 'docs/reference.md', 'docs/cli.md'];
const LAST = ['CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md'];

/** The page for the documents in a folder. */
export async function llmsPage(root) {
  const { name, description } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const docs = (await readdir(join(root, 'docs')))
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`)
    .toSorted()
    .filter((path) => !FIRST.includes(path));
  const lines = [];
  for (const path of [...FIRST, ...docs, ...LAST])
    lines.push(entryOf(path, await readFile(join(root, path), 'utf8')));
  return `# ${name}\n\n> ${description}. \`npm run reference\` writes this page from the headings.\n\n## Pages\n\n${lines.join('\n')}\n`;
}

function entryOf(path, text) {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const title = /^# (.+)$/m.exec(prose)?.[1] ?? path;
  const headings = [...prose.matchAll(/^## ([^[].*)$/gm)].map(([, heading]) => heading);
  const about = [sentenceOf(prose), headings.length === 0 ? '' : `Sections: ${headings.join('; ')}.`];
  return `- [${title}](${path}): ${about.filter((text) => text !== '').join(' ')}`;
}

/** The first sentence below the title, without links. */
function sentenceOf(prose) {
  const [, paragraph = ''] = /^# .+\n+([^#|\n-][^]*?)(?:\n\n|(?![^]))/m.exec(prose) ?? [];
  const text = paragraph
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const [, sentence = text] = /^(.*?[.:])(?: |$)/.exec(text) ?? [];
  return sentence.replace(/:$/, '.');
}
