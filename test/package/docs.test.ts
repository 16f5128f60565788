import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Listening } from '../../mocks/http/listen.ts';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { linkedConsumer } from './consumer.ts';
import { packWorkingTree, ROOT, type PackedPackage } from './packed.ts';
import { snippetsOf } from './readme-snippets.ts';
import { runProgram } from './run-program.ts';
import { FULL } from '../support/runs.ts';

const rollout = snippetsOf(await readFile(join(ROOT, 'docs', 'rollout.md'), 'utf8'));
const others = await Promise.all(
  ['observability', 'chaining', 'constant-size-turns', 'differences', 'servers'].map(async (page) => ({
    page,
    snippets: snippetsOf(await readFile(join(ROOT, 'docs', `${page}.md`), 'utf8')),
  })),
);

/** The line that a step changes. */
const CONTROL = /^export const control = .*$/m;
const [base, ...rest] = rollout;
const steps = rest
  .filter(({ source }) => CONTROL.test(source))
  .map(({ heading, source }) => ({ heading, control: CONTROL.exec(source)?.[0] ?? '' }));

const files = [
  { name: 'open-session', title: 'rollout: the switch', source: base?.source ?? '' },
  ...rest.map(({ heading, source }, index) => ({
    name: `rollout-${index}`,
    title: `rollout: ${heading}`,
    source,
  })),
  ...others.flatMap(({ page, snippets }) =>
    snippets.map(({ heading, source }, index) => ({
      name: `${page}-${index}`,
      title: `${page}: ${heading}`,
      source,
    })),
  ),
  ...steps.map(({ control }, index) => ({
    name: `step-${index + 1}`,
    title: `step ${index + 1}`,
    source: (base?.source ?? '').replace(CONTROL, control),
  })),
];

/** An app that lives with a step: sessions of four turns, and the numbers that the page says to watch. */
const APP = `
import { Agent } from '@openai/agents';
import { memoryLedger, run } from 'agents-hybrid-session';
import OpenAI from 'openai';

const { openSession, collector } = await import(process.argv[2] ?? '');
const client = new OpenAI();
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
for (let user = 0; user < 4; user += 1) {
  const { id } = await client.conversations.create({});
  const session = openSession(id, memoryLedger());
  for (const text of ['hi', 'what can you do?', 'give me one example', 'thanks']) await run(agent, text, { session });
}
console.log(JSON.stringify(collector.stats()));
`;

let packed: PackedPackage | undefined;
let app: string;
/** In the place of the API: it loses answers as the report describes. */
let server: Listening | undefined;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  if (!FULL) return;
  packed = await packWorkingTree();
  const extra = ['@openfeature/server-sdk', '@openfeature/core', '@opentelemetry/api', '@types/node'];
  app = await linkedConsumer(packed, { name: 'docs-reader', type: 'module', extra });
  server = await createSimulatorCore({ unlink: 'every-turn' }).listen();
  env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test' };
  for (const { name, source } of files) await writeFile(join(app, `${name}.ts`), source);
  await writeFile(join(app, 'live.js'), APP);
  const { compilerOptions } = JSON.parse(await readFile(join(app, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: object;
  };
  const config = {
    compilerOptions: { ...compilerOptions, noEmit: false },
    files: files.map(({ name }) => `${name}.ts`),
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  await runProgram('node', [tsc, '-p', 'tsconfig.json'], { cwd: app });
});

afterAll(async () => {
  await server?.close();
  await packed?.dispose();
});

describe('the programs in the pages', () => {
  it.runIf(FULL).each(files.filter(({ name }) => !name.startsWith('step')))(
    'the program runs: $title ($name)',
    async ({ name }) => {
      const { stderr } = await runProgram('node', [`${name}.js`], { cwd: app, env });
      expect(stderr).toBe('');
    },
  );
});

/** The statistics of each step, for four sessions of four turns: the last two lack one answer and two. */
const WATCHED = [
  { turns: 0, events: {}, restored: { items: 0 } },
  {
    turns: 16,
    lossRate: 0.5,
    lostItems: 8,
    models: { 'gpt-5.4': { turns: 16, lossRate: 0.5 } },
    requests: { chainRate: 0, reasons: { mode: 16 } },
    shadowPlans: { chainRate: 0.75, reasons: { no_parent: 4, extends: 12 } },
  },
  { turns: 16, lossRate: 0.5, requests: { chainRate: 0, reasons: { mode: 16 } } },
  {
    turns: 16,
    lossRate: 0.5,
    restored: { reads: 8, items: 12 },
    shadowPlans: { chainRate: 0.75 },
    events: {},
  },
  { turns: 16, lossRate: 0.5, restored: { reads: 8, items: 12 }, events: {} },
];

describe('the steps of a rollout', () => {
  it('the rollout has five steps', () => {
    expect(steps.map(({ heading }) => heading[0])).toEqual(['1', '2', '3', '4', '5']);
  });

  it.runIf(FULL).each([...WATCHED.entries()])(
    'the rollout step at index %i shows the numbers of the page',
    async (index, watched) => {
      const program = `./step-${index + 1}.js`;
      const { stdout, stderr } = await runProgram('node', ['live.js', program], { cwd: app, env });
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toMatchObject(watched);
    },
  );
});
