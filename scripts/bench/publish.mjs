// Where results are kept for readers: docs/bench/, and between two marks in docs/benchmarks.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fullReport, shortReport } from './markdown.mjs';
import { plot } from './plot.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(root, 'docs', 'benchmarks.md');
const RESULTS = join(root, 'docs', 'bench', 'results.json');
const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

/** Every file with its text, given the results. */
function files(results) {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`bench: docs/benchmarks.md has no ${BEGIN} before ${END}`);
  const section = `${BEGIN}\n\n${shortReport(results)}\n\n`;
  return new Map([
    [PAGE, page.slice(0, from) + section + page.slice(to)],
    [join(root, 'docs', 'bench', 'results.md'), fullReport(results)],
    [join(root, 'docs', 'bench', 'turns.svg'), plot(results)],
  ]);
}

/** Writes the results where readers look. */
export function publish(results) {
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, lines(results));
  for (const [path, text] of files(results)) writeFileSync(path, text);
}

/** As JSON with a line for each entry: short, and still readable in a difference. */
function lines(results) {
  const fields = Object.entries(results).map(([key, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
      : JSON.stringify(value);
    return `  ${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}

/** @returns the files that differ from docs/bench/results.json. */
export function unlike() {
  const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  return [...files(results)].flatMap(([path, text]) => (readFileSync(path, 'utf8') === text ? [] : [path]));
}
