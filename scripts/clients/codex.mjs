// The Codex CLI, a turn at a time: over HTTP, and over WebSocket with the tools of its newest models.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { served } from './served.mjs';

/** Codex in a home of its own, which knows the simulator alone. */
async function codexOn(t, { model, isWebSocket }) {
  const { simulator, url } = await served(t);
  const home = mkdtempSync(join(tmpdir(), 'codex-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'work'));
  const provider = {
    name: 'simulator',
    base_url: url,
    env_key: 'SIMULATOR_KEY',
    wire_api: 'responses',
    supports_websockets: isWebSocket,
    request_max_retries: 0,
    stream_max_retries: 0,
  };
  writeFileSync(
    join(home, 'config.toml'),
    [
      `model = "${model}"`,
      'model_provider = "simulator"',
      'check_for_update_on_startup = false',
      '[analytics]',
      'enabled = false',
      '[model_providers.simulator]',
      ...Object.entries(provider).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
    ].join('\n'),
  );
  const exec = (...args) => run(home, ['exec', ...args]);
  return { simulator, exec, home };
}

/** The events of a run of Codex; it fails if Codex does. No request leaves this machine. */
function run(home, args) {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CODEX_HOME: home,
    SIMULATOR_KEY: 'test',
    HTTP_PROXY: 'http://127.0.0.1:9',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    NO_PROXY: '127.0.0.1',
  };
  const options = ['--json', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox'];
  const child = spawn(process.execPath, [codex, ...args, ...options], {
    cwd: join(home, 'work'),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status !== 0) reject(new Error(`codex ended with ${status}: ${output.stdout}${output.stderr}`));
      else
        resolve(
          output.stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
    });
  });
}

const codex = join(import.meta.dirname, 'node_modules', '@openai', 'codex', 'bin', 'codex.js');

const itemsOf = (events, type) =>
  events.flatMap((event) =>
    event.type === 'item.completed' && event.item.type === type ? [event.item] : [],
  );

const ECHO = 'echo hello-$((40+2))';

/** A call of the tool that runs a command, as each model has it. */
const CALLS = {
  'gpt-5.4': { name: 'exec_command', arguments: { cmd: ECHO } },
  'gpt-6-sol': {
    name: 'exec',
    arguments: `const ran = await tools.exec_command({ cmd: ${JSON.stringify(ECHO)} }); text(ran.output);`,
  },
};

for (const [model, isWebSocket] of [
  ['gpt-5.4', false],
  ['gpt-6-sol', true],
]) {
  const way = `${model}, ${isWebSocket ? 'WebSocket' : 'HTTP'}`;

  test(`Codex answers in the form of a schema (${way})`, async (t) => {
    const { exec, home } = await codexOn(t, { model, isWebSocket });
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    writeFileSync(join(home, 'schema.json'), JSON.stringify(schema));
    const events = await exec('--output-schema', join(home, 'schema.json'), 'describe Ada');
    const { name, age } = JSON.parse(itemsOf(events, 'agent_message').at(-1).text);
    assert.equal(typeof name, 'string');
    assert.ok(Number.isInteger(age));
  });

  test(`Codex runs a command and resumes its conversation (${way})`, async (t) => {
    const { simulator, exec } = await codexOn(t, { model, isWebSocket });
    simulator.when({ input: 'say hello' }).reply({ calls: [CALLS[model]] });
    simulator.when({}).always(() => undefined);
    const first = await exec('say hello');
    assert.deepEqual(
      itemsOf(first, 'command_execution').map(({ aggregated_output: text, exit_code: code }) => [text, code]),
      [['hello-42\n', 0]],
    );
    const [answer] = itemsOf(first, 'agent_message');
    const [{ thread_id: thread }] = first;
    const second = await exec('resume', thread, 'what did you say?');
    const context = simulator.log.findLast((entry) => entry.context).context;
    const texts = context.filter(({ type }) => type === 'message').map(({ content }) => content[0].text);
    assert.ok(texts.includes('say hello'));
    assert.ok(texts.includes(answer.text));
    assert.equal(texts.at(-1), 'what did you say?');
    assert.ok(context.some(({ output }) => JSON.stringify(output)?.includes('hello-42')));
    assert.equal(itemsOf(second, 'agent_message').length, 1);
    assert.deepEqual(
      simulator.log.filter(({ status }) => status !== 200),
      [],
    );
  });
}
