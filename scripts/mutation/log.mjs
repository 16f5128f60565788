// The log of mutants. Every try is written down before it begins, so that a process that hangs loses none.
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** In bytes; most take a quarter of it. */
const MAX_ENTRY_BYTES = 400;

/** @returns the mutants by their outcome. */
export function readLog(folder) {
  const noticed = new Set();
  const late = new Set();
  const passed = new Set();
  const suspects = new Set();
  for (const entry of entriesOf(folder)) {
    if (entry.noticed !== undefined) noticed.add(entry.noticed);
    if (entry.late !== undefined) noticed.add(entry.late);
    if (entry.late !== undefined) late.add(entry.late);
    if (entry.suspect !== undefined) suspects.add(entry.suspect);
    if (entry.passed !== undefined) passed.add(`${entry.passed} ${entry.test ?? ''}`);
  }
  return { noticed, late, passed, suspects };
}

/** The newest entry; `isEnding` when the process that wrote it waits for its end. */
export function lastEntry(folder) {
  const path = join(folder, 'log');
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const end = Buffer.alloc(Math.min(size, MAX_ENTRY_BYTES));
  if (size > 0) {
    const file = openSync(path);
    readSync(file, end, 0, end.length, size - end.length);
    closeSync(file);
  }
  return JSON.parse(end.toString().split('\n').findLast(Boolean) ?? '{}');
}

function entriesOf(folder) {
  const path = join(folder, 'log');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}
