// jest in CommonJS: /mocks/core and /testing need neither msw nor ES modules.
const { createSimulator } = require('agents-hybrid-session/mocks/core');
const { simulatorMatchers } = require('agents-hybrid-session/testing');
const { createChat } = require('./chat.js');

expect.extend(simulatorMatchers);

let simulator;
let chat;
let events;
beforeEach(() => {
  simulator = createSimulator({ unlink: 'every-turn' });
  events = jest.fn();
  chat = createChat({ runner: simulator.runner(), client: simulator.client(), onEvent: events });
});
afterEach(() => simulator.close());

test('the model sees every question and every answer', async () => {
  for (const text of ['my name is Ada', 'hi', 'what is my name?']) await chat('ada', text);
  expect(simulator).toHaveSeen('my name is Ada', /^Answer 1/, 'hi', /^Answer 2/, 'what is my name?');
  expect(simulator).not.toHaveLost();
});

test('two users do not see each other', async () => {
  await Promise.all([chat('ada', 'my name is Ada'), chat('bob', 'my name is Bob')]);
  await chat('bob', 'what is my name?');
  expect(simulator).toHaveSeen('my name is Bob');
  expect(simulator).not.toHaveSeen('my name is Ada');
});

test('an answer is as the script says, and a request that no rule fits fails', async () => {
  simulator.when({ input: /weather/ }).reply('It is sunny.');
  expect(await chat('ada', 'how is the weather?')).toBe('It is sunny.');
  await expect(chat('ada', 'and now?')).rejects.toThrow('no reply for this request');
});

test('an app hears of each turn, without its words', async () => {
  for (const text of ['my secret', 'thanks']) await chat('ada', text);
  const seen = events.mock.calls.map(([event]) => event);
  expect(seen.filter(({ type }) => type === 'turn')).toHaveLength(2);
  expect(JSON.stringify(seen)).not.toContain('my secret');
});
