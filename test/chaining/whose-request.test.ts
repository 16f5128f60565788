import { expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { chainedModel } from '../../src/chaining/chained-model.ts';
import { enterTool, withPort, recordServedHistory } from '../../src/chaining/attribution.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { assistant, user } from '../support/conversation.ts';
import { knownPort, type KnownPort } from './known-port.ts';
import { answer, ScriptedModel } from './scripted-model.ts';
import { modelRequest } from './chained-calls.ts';

let told = 0;

/** A session that has just served its history, which no other one has, and a request that begins with it. */
function served(): { port: KnownPort; ask: (model: ScriptedModel) => Promise<unknown> } {
  told += 1;
  const history = [user(`story ${told}`), assistant('hello', 'msg_1')];
  const port = knownPort(history);
  recordServedHistory(port, extendContext(EMPTY_DIGEST, history), history);
  const request = modelRequest([...history, user('thanks')]);
  return { port, ask: (model) => chainedModel(model).getResponse(request) };
}

test('a request of no run belongs to the session whose history it begins with', async () => {
  const { port, ask } = served();
  const model = new ScriptedModel();
  await ask(model);
  expect(model.requests.map(({ previousResponseId }) => previousResponseId)).toEqual(['resp_0']);
  expect(port.answers).toHaveLength(1);
});

test('so does one inside of a tool, whatever the run around it', async () => {
  for (const around of [knownPort(), undefined]) {
    const { port, ask } = served();
    await withPort(around, async () => {
      enterTool();
      await ask(new ScriptedModel());
    });
    expect(port.answers).toHaveLength(1);
    expect(around?.answers ?? []).toEqual([]);
  }
});

test('a request of a run whose session is not ours belongs to nobody, whatever it begins with', async () => {
  const { port, ask } = served();
  const model = new ScriptedModel();
  await withPort(undefined, () => ask(model));
  expect(model.requests.map(({ previousResponseId }) => previousResponseId)).toEqual([undefined]);
  expect(port.answers).toEqual([]);
});

test('an answer without an ID is nothing to continue from', async () => {
  for (const id of [undefined, '']) {
    const { port, ask } = served();
    const { responseId: _id, ...rest } = answer('resp_1', 'hello');
    await ask(
      new ScriptedModel({ json: () => ({ ...rest, ...(id === undefined ? {} : { responseId: id }) }) }),
    );
    expect(port.answers).toEqual([]);
  }
});

test.each([
  { writable: false, configurable: true },
  { writable: true, configurable: false },
])('a model with a method of its own is chained as long as it can be replaced: %j', async (kind) => {
  const { port, ask } = served();
  const model = new ScriptedModel();
  Object.defineProperty(model, 'getResponse', { value: model.getResponse.bind(model), ...kind });
  await ask(model);
  expect(port.answers).toHaveLength(1);
});
