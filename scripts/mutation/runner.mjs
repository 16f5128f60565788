// Runs in vitest's worker. First every test once, to see which mutants it reaches; then every test once for each mutant that
// it reaches and that no other test has noticed. Loading the SDK takes longer than most tests: so it is loaded once for all.
//
// A test that fails is asked again without the mutant. When it fails then, too, something was left behind: the mutant is
// tried again in a process of its own before it counts. `mutation.mjs` ends the process and starts another one.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestRunner } from 'vitest';
import { readLog } from './log.mjs';

/** The global that the instrumented sources read. */
const mutation = (globalThis['__stryker__'] ??= {});
/** How often a mutant may be reached, as a multiple of the usual count: an endless loop is noticed by that. */
const MAX_HITS_FACTOR = 100;

let plan;
const covered = { fixed: {}, tests: {} };

export default class MutationRunner extends TestRunner {
  #folder;
  #mode;
  #queue = [];
  #current;
  /** The mutant of the last try, when the test has to be asked again without it. */
  #noticed;
  #failed = false;
  #started = 0;

  constructor(config) {
    super(config);
    const { mode, folder, mutant } = this.injectValue('mutation');
    this.#mode = mode;
    this.#folder = folder;
    mutation.activeMutant = mutant;
    mutation.hitCount = 0;
    mutation.hitLimit = Number.POSITIVE_INFINITY;
    if (mode === 'try') plan ??= planOf(folder);
  }

  async onBeforeRunTask(test) {
    await super.onBeforeRunTask(test);
    if (this.#mode !== 'try' || test.mode === 'skip') return;
    this.#queue = Object.keys(plan.tests[test.id]?.hits ?? {}).filter((id) => this.#isOpen(id, test));
    this.#queue.sort((a, b) => Number(plan.suspects.has(b)) - Number(plan.suspects.has(a)));
    if (this.#queue.length === 0) test.mode = 'skip';
    else test.repeats = 2 * this.#queue.length;
  }

  onBeforeTryTask(test) {
    super.onBeforeTryTask(test);
    this.#started = performance.now();
    this.#failed = false;
    if (this.#mode === 'cover') mutation.currentTestId = test.id;
    if (this.#mode !== 'try') return;
    this.#current = this.#noticed === undefined ? this.#queue.shift() : undefined;
    if (this.#current === undefined) return;
    this.#log({ begin: this.#current, test: test.id });
    mutation.hitCount = 0;
    mutation.hitLimit = 1000 + MAX_HITS_FACTOR * plan.tests[test.id].hits[this.#current];
    mutation.activeMutant = this.#current;
  }

  async runTask(test) {
    const run = TestRunner.getTestFn(test);
    if (this.#mode !== 'try') return run();
    if (this.#current === undefined && this.#noticed === undefined) return;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 2000 + 5 * plan.tests[test.id].duration, 'late');
    });
    try {
      const outcome = await Promise.race([run(), late]);
      if (outcome === 'late') await this.#late();
    } catch {
      this.#failed = true;
    } finally {
      clearTimeout(timer);
    }
  }

  async onAfterRetryTask(test) {
    if (this.#mode === 'cover') {
      mutation.currentTestId = undefined;
      const hits = mutation.mutantCoverage?.perTest[test.id] ?? {};
      const { filepath: file } = test.file;
      covered.tests[test.id] = { name: test.name, file, hits, duration: performance.now() - this.#started };
    }
    if (this.#mode !== 'try') return;
    mutation.activeMutant = undefined;
    const failed = this.#failed || test.result.state === 'fail';
    test.result.state = 'run';
    test.result.errors = undefined;
    if (this.#noticed !== undefined) {
      const isSure = !failed || plan.suspects.has(this.#noticed);
      const outcome = isSure ? 'noticed' : 'suspect';
      // A test that fails without a mutant is of no use in this process.
      this.#log({ [outcome]: this.#noticed, test: test.id, isEnding: failed });
      if (failed) await forEver();
      plan.noticed.add(this.#noticed);
      this.#noticed = undefined;
    } else if (this.#current !== undefined) {
      if (failed) this.#noticed = this.#current;
      else this.#log({ passed: this.#current, test: test.id });
    }
  }

  onAfterRunFiles() {
    super.onAfterRunFiles();
    if (this.#mode !== 'cover') return;
    Object.assign(covered.fixed, mutation.mutantCoverage?.static);
    writeFileSync(join(this.#folder, 'coverage.json'), JSON.stringify(covered));
  }

  #isOpen(id, test) {
    return plan.tried.has(id) && !plan.noticed.has(id) && !plan.passed.has(`${id} ${test.id}`);
  }

  /** A late test goes on in the background. */
  async #late() {
    const id = this.#current ?? this.#noticed;
    this.#log({ [this.#current === undefined ? 'suspect' : 'late']: id, isEnding: true });
    await forEver();
  }

  #log(entry) {
    appendFileSync(join(this.#folder, 'log'), `${JSON.stringify(entry)}\n`);
  }
}

/** Until this process is ended. */
function forEver() {
  return new Promise(() => setInterval(() => undefined, 1000));
}

function planOf(folder) {
  const { tests } = JSON.parse(readFileSync(join(folder, 'coverage.json'), 'utf8'));
  const { mutants } = JSON.parse(readFileSync(join(folder, 'mutants.json'), 'utf8'));
  return { tests, tried: new Set(mutants.map(({ id }) => id)), ...readLog(folder) };
}
