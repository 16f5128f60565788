import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOM = fileURLToPath(new URL('../../mocks', import.meta.url));

interface Reached {
  readonly files: Set<string>;
  readonly packages: Set<string>;
}

/** Everything a file of the simulator imports, directly or not. */
function reachedFrom(entry: string, reached: Reached = { files: new Set(), packages: new Set() }): Reached {
  if (reached.files.has(entry)) return reached;
  reached.files.add(entry);
  const imports = readFileSync(join(ROOM, entry), 'utf8').matchAll(
    /^(?:import|export|\}) .*?from '([^']+)'/gm,
  );
  for (const [, target = ''] of imports) {
    if (target.startsWith('.')) reachedFrom(relative(ROOM, join(ROOM, dirname(entry), target)), reached);
    else reached.packages.add(target);
  }
  return reached;
}

describe('the simulator', () => {
  it('the simulator needs only Node, its clients only the peers, and its handlers only msw', () => {
    const packagesOf = (entry: string): string[] =>
      [...reachedFrom(entry).packages].filter((name) => !name.startsWith('node:')).toSorted();
    expect(reachedFrom('simulator.ts').files.size).toBeGreaterThan(40);
    expect(packagesOf('simulator.ts')).toEqual([]);
    expect(packagesOf('core.ts')).toEqual(['@openai/agents', 'openai']);
    expect(packagesOf('index.ts')).toEqual(['@openai/agents', 'msw', 'openai']);
  });

  it('the simulator imports only its own files', () => {
    const files = [...reachedFrom('index.ts').files, ...reachedFrom('core.ts').files];
    expect(files.filter((file) => file.startsWith('..'))).toEqual([]);
  });
});
