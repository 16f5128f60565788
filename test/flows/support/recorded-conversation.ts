import { Agent, tool, type AgentInputItem } from '@openai/agents';
import { z } from 'zod';
import { textOf, type Respond } from '../../../mocks/index.ts';
import type * as library from '../../../src/index.ts';
import type { HybridSession, HybridSessionOptions, LedgerStore } from '../../../src/index.ts';
import { AppProcess, type Death } from '../../sequences/support/app-process.ts';
import { simulated } from '../../support/simulated.ts';
import { turns } from '../../support/virtual-time.ts';
import { told } from './recorded-runs.ts';

/** The forms of a turn: its tools, and the way it ends. */
export const ENDINGS = ['plain', 'find', 'find twice', 'find break', 'find again', 'find fails'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface RecordedTurn {
  readonly ending: Ending;
  /** The event of the stream at which the caller aborts; 0 for a run that is not streamed. */
  readonly abortAt: number;
}

/** One question, and all that is known of its run. */
interface Asked {
  readonly question: string;
  /** The names of the calls whose tools have returned, by call ID. */
  readonly returned: Map<string, string>;
  answer: string | undefined;
  wasKilled: boolean;
}

const INTERRUPTED = 'The run was interrupted before this tool returned a result.';

export type Library = typeof library;

/** Calls the tools that the newest question names. Call IDs name the question. */
const respond: Respond = (context) => {
  const asked = context.findLastIndex((item) => item['role'] === 'user');
  const text = textOf(context[asked] ?? {});
  const steps = new Set(
    context.slice(asked).flatMap(({ type, call_id: id }) => (type === 'function_call' ? [String(id)] : [])),
  );
  const names = ['find', 'break'].filter((name) => text.includes(name));
  const isMore = text.includes('again') || (text.includes('twice') && steps.size < 2) || steps.size === 0;
  if (names.length > 0 && isMore)
    return { calls: names.map((name) => ({ name, callId: `${name}:${text}:${steps.size}` })) };
  return `answer to ${text}`;
};

/** A conversation of recorded runs that end in every way, and the facts that its history must hold. */
export class RecordedConversation {
  readonly #world = simulated({ respond });
  /** The modules of the process that lives, and of the next one: a process knows which runs are its own. */
  #libraries: readonly [Library, Library];
  readonly #store: LedgerStore;
  readonly #options: HybridSessionOptions;
  #process: AppProcess;
  readonly #asked: Asked[] = [];
  /** The number of requests before each undone question was taken back. */
  readonly #undone = new Map<string, number>();
  constructor(libraries: readonly [Library, Library], options: HybridSessionOptions) {
    this.#libraries = libraries;
    this.#store = libraries[0].memoryLedger();
    this.#options = options;
    this.#process = this.#newProcess();
  }

  #newProcess(): AppProcess {
    return new AppProcess(this.#world.simulator.fetch, [], () => this.#store);
  }

  #session(): HybridSession {
    const { client, ledger } = this.#process;
    const { HybridSession } = this.#libraries[0];
    return new HybridSession({ ...this.#options, client, ledger, sessionId: 'recorded', bookmark: false });
  }

  /** Runs one turn; its process dies at a call to the outside, if a death is given. */
  async turn(number: number, { ending, abortAt }: RecordedTurn, death?: Death): Promise<void> {
    const question = `${number} ${ending}`;
    const asked: Asked = { question, returned: new Map(), answer: undefined, wasKilled: death !== undefined };
    this.#asked.push(asked);
    const process = this.#process;
    process.killAt(death);
    const lift = ending === 'find fails' ? this.#failSecondRequest() : undefined;
    await Promise.race([this.#run(asked, abortAt), process.died]);
    lift?.();
    process.killAt(undefined);
    asked.wasKilled = !process.isAlive;
    if (process.isAlive) return;
    const [dead, next] = this.#libraries;
    this.#libraries = [next, dead];
    this.#process = this.#newProcess();
    // A run of the next process settles the one that died.
    await this.turn(number + 0.5, { ending: 'plain', abortAt: 0 });
  }

  #failSecondRequest(): () => void {
    return this.#world.simulator.fault('responses.create', { status: 500, skip: 1, times: 1 });
  }

  async #run(asked: Asked, abortAt: number): Promise<void> {
    const { question } = asked;
    const execute =
      (name: string) => (_: unknown, __: unknown, details?: { toolCall?: { callId: string } }) => {
        if (name === 'break') throw new Error('broken');
        asked.returned.set(String(details?.toolCall?.callId), `${name}: found`);
        return 'found';
      };
    const tools = ['find', 'break'].map((name) =>
      tool({
        name,
        description: name,
        parameters: z.object({}),
        errorFunction: null,
        execute: execute(name),
      }),
    );
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools });
    const { HybridRunner } = this.#libraries[0];
    const runner = new HybridRunner({ record: 'as-it-goes', tracingDisabled: true });
    const session = this.#session();
    try {
      if (abortAt === 0) {
        const { finalOutput } = await runner.run(agent, question, { session, maxTurns: 3 });
        asked.answer = String(finalOutput);
        return;
      }
      const { signal, abort } = controller();
      const streamed = await runner.run(agent, question, { session, maxTurns: 3, stream: true, signal });
      let count = 0;
      for await (const event of streamed) {
        void event;
        count += 1;
        if (count === abortAt) abort();
      }
      await streamed.completed;
      if (!signal.aborted) asked.answer = String(streamed.finalOutput);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  }

  /** Takes the newest turn back. */
  async undo(): Promise<void> {
    const [turn] = await this.#session().undo();
    const removed = told((turn?.items ?? []) as AgentInputItem[]).find((line) => line.startsWith('user: '));
    const at = this.#asked.findIndex(({ question }) => `user: ${question}` === removed);
    if (turn !== undefined && at === -1) throw new Error(`The undo removed an unknown turn: ${removed}`);
    const [undone] = at === -1 ? [] : this.#asked.splice(at, 1);
    if (undone !== undefined) this.#undone.set(undone.question, this.#world.simulator.log.length);
  }

  /** Expects that a fork has the same history. */
  async fork(number: number): Promise<void> {
    const session = this.#session();
    const fork = await session.fork({ sessionId: `fork ${number}` });
    const [own, forked] = [told(await session.getItems()), told(await fork.getItems())];
    if (own.join('\n') !== forked.join('\n')) throw new Error(`The fork differs: ${forked.join(' | ')}`);
  }

  /** All differences between the history and the facts, in words. */
  async differences(): Promise<string[]> {
    await turns(20);
    const items = await this.#session().getItems();
    const lines = told(items);
    const questions = lines.filter((line) => line.startsWith('user: ')).map((line) => line.slice(6));
    const problems: string[] = [];
    const expected = this.#asked.filter(
      ({ question }) => questions.includes(question) || this.#wasShown(question),
    );
    if (questions.join() !== expected.map(({ question }) => question).join())
      problems.push(
        `questions: ${questions.join()} instead of ${expected.map(({ question }) => question).join()}`,
      );
    const calls = items.flatMap((item) => (item.type === 'function_call' ? [item.callId] : []));
    const results = items.flatMap((item) => (item.type === 'function_call_result' ? [item] : []));
    if (new Set(calls).size < calls.length) problems.push(`a call twice: ${calls.join()}`);
    if (
      calls.toSorted().join() !==
      results
        .map(({ callId }) => callId)
        .toSorted()
        .join()
    )
      problems.push(`calls ${calls.join()} with results ${results.map(({ callId }) => callId).join()}`);
    for (const { question, returned, answer, wasKilled } of expected) {
      const answers = lines.filter((line) => line === `assistant: ${answer}`).length;
      if (answer !== undefined && answers !== 1) problems.push(`${answers} times '${answer}'`);
      for (const [callId, line] of returned) {
        const result = results.filter((item) => item.callId === callId);
        const [text] = told(result);
        const isInterrupted = wasKilled && text === `find: ${INTERRUPTED}`;
        if (result.length !== 1 || (text !== line && !isInterrupted))
          if (!wasKilled || this.#wasShown(callId)) problems.push(`${question}: ${callId} has ${text}`);
      }
    }
    for (const [question, from] of this.#undone)
      if (this.#wasShown(question, from)) problems.push(`the undone question '${question}' was shown again`);
    return problems.length === 0 ? [] : [...problems, ...lines];
  }

  /** Whether a request has shown the model a question or a call's result. */
  #wasShown(text: string, from = 0): boolean {
    return this.#world.simulator.log
      .slice(from)
      .some(({ context = [] }) =>
        context.some(
          (item) =>
            (item['role'] === 'user' && textOf(item) === text) ||
            (item.type === 'function_call_output' && item['call_id'] === text),
        ),
      );
  }
}

function controller(): { signal: AbortSignal; abort: () => void } {
  const made = new AbortController();
  return { signal: made.signal, abort: () => made.abort() };
}

/** A refusal of the API is none: the model was shown something invalid. */
function isExpected(error: unknown): boolean {
  const { status } = Object(error) as { readonly status?: number };
  return status === undefined || status === 500;
}
