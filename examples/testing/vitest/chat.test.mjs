import { createSimulator } from 'agents-hybrid-session/mocks/core';
import { simulatorMatchers } from 'agents-hybrid-session/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createChat } from './chat.mjs';

expect.extend(simulatorMatchers);

let simulator;
let refund;
let chat;
beforeEach(() => {
  // The API as it was seen on gpt-5.4: each turn drops the earlier answers from the list.
  simulator = createSimulator({ unlink: 'every-turn' });
  refund = vi.fn((orderId) => `${orderId} is paid back`);
  chat = createChat({ runner: simulator.runner(), client: simulator.client(), refund });
});
afterEach(() => simulator.close());

/** A message in the conversation of the last one. */
async function say(texts) {
  let last = {};
  for (const text of texts) last = await chat(text, last.conversationId);
  return last;
}

describe('the memory', () => {
  it('the model sees every question and every answer', async () => {
    await say(['my name is Ada', 'my order is 1001', 'where is it?']);
    expect(simulator).toHaveSeen(
      'my name is Ada',
      /^Answer 1/,
      'my order is 1001',
      /^Answer 2/,
      'where is it?',
    );
    expect(simulator).not.toHaveLost();
  });

  it('a conversation of last month is seeded once, and each test goes on from it', async () => {
    const { conversationId } = await say(['hi', 'my order is 1001']);
    const seeded = simulator.snapshot();
    await chat('cancel it', conversationId);
    simulator.restore(seeded);
    await chat('where is it?', conversationId);
    expect(simulator).toHaveSeen('my order is 1001', 'where is it?');
    expect(simulator).not.toHaveSeen('cancel it');
  });
});

describe('tools', () => {
  it('a refund waits for the approval, and its result reaches the model', async () => {
    simulator
      .when({ input: /pay it back/ })
      .reply({ calls: [{ name: 'refund_order', arguments: { orderId: '1001' } }] });
    simulator.when({ tool: 'refund_order' }).always('It is paid back.');
    const { result, resume } = await chat('pay it back');
    expect(result.interruptions).toHaveLength(1);
    expect(refund).not.toHaveBeenCalled();

    result.state.approve(result.interruptions[0]);
    const { finalOutput } = await resume();
    expect(refund).toHaveBeenCalledExactlyOnceWith('1001');
    expect(finalOutput).toBe('It is paid back.');
  });
});

describe('failures', () => {
  it('an outage of the conversation costs neither the answer nor the memory', async () => {
    const { conversationId } = await chat('my name is Ada');
    const lift = simulator.fault('conversations.items.create', { status: 400 });
    const { answer } = await chat('hi', conversationId);
    expect(answer).toMatch(/^Answer 2/);
    lift();
    await chat('what is my name?', conversationId);
    expect(simulator).toHaveSeen('my name is Ada', 'what is my name?');
  });

  it('a question that the model refused is asked again without a second copy', async () => {
    const { conversationId } = await chat('hi');
    simulator.fault('responses.create', { status: 400, times: 1 });
    await expect(chat('where is it?', conversationId)).rejects.toThrow('400');
    await chat('where is it?', conversationId);
    const { context } = simulator.log.findLast((entry) => entry.context);
    expect(context.filter(({ role }) => role === 'user')).toHaveLength(2);
  });
});
