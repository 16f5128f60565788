// The first turn of a process that has just begun: see first-turns.mjs.
const { way, url, path } = JSON.parse(process.argv[2] ?? '{}');

const begun = performance.now();
const { Agent, MemorySession, OpenAIProvider, Runner, setTracingDisabled } = await import('@openai/agents');
const { default: OpenAI } = await import('openai');
const loaded = performance.now();
const ours = way === 'memory' ? undefined : await import('agents-hybrid-session');
const added = performance.now();
const sqlite = way === 'sqlite' ? await import('agents-hybrid-session/sqlite') : undefined;
const ready = performance.now();

setTracingDisabled(true);
const client = new OpenAI({ apiKey: 'key-first', baseURL: url });
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', instructions: 'You keep the log.' });
const session =
  ours === undefined
    ? new MemorySession()
    : new ours.HybridSession({
        client,
        sessionId: 'first',
        mirror: 'background',
        bookmark: false,
        ...(sqlite === undefined ? {} : { ledger: sqlite.sqliteLedger({ path }) }),
      });
const runner =
  ours === undefined
    ? new Runner({
        tracingDisabled: true,
        modelProvider: new OpenAIProvider({ openAIClient: client }),
      })
    : new ours.HybridRunner({ tracingDisabled: true });
await runner.run(agent, 'What came first?', { session });
const answered = performance.now();
process.send({ sdk: loaded - begun, own: added - loaded, turn: answered - ready }, () => process.exit(0));
