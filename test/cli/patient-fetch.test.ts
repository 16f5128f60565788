import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { patientFetch } from '../../src/cli/patient-fetch.ts';

function patient(simulator: SimulatorCore): { readonly client: OpenAI; readonly waits: number[] } {
  const waits: number[] = [];
  const fetch = patientFetch({
    fetch: simulator.fetch,
    onWait: (milliseconds) => waits.push(milliseconds),
    wait: async (_, signal) => signal?.throwIfAborted(),
  });
  return { client: new OpenAI({ apiKey: 'test', fetch, maxRetries: 0 }), waits };
}

describe('patientFetch', () => {
  it('waits as long as the server asks for, as often as it asks', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'rate_limit', retryAfter: 7, times: 12 });
    expect((await client.conversations.create()).object).toBe('conversation');
    expect(waits).toEqual(Array.from({ length: 12 }, () => 7000));
  });

  it('waits longer and longer when the server does not say how long', async () => {
    const answers = [429, 429, 429, 200].map((status) => Response.json({}, { status }));
    const waits: number[] = [];
    const fetch = patientFetch({
      fetch: async () => answers.shift() ?? Response.error(),
      onWait: (milliseconds) => waits.push(milliseconds),
      wait: async () => undefined,
    });
    expect((await fetch('http://127.0.0.1')).status).toBe(200);
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it('gives up in the end', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'rate_limit', retryAfter: 200 });
    await expect(client.conversations.create()).rejects.toMatchObject({ status: 429 });
    expect(waits).toEqual([200_000, 200_000]);
  });

  it('does not wait for a quota that is used up, or for another error', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'insufficient_quota', times: 1 });
    await expect(client.conversations.create()).rejects.toMatchObject({ code: 'insufficient_quota' });
    simulator.fault('conversations.create', { name: 'overloaded', times: 1 });
    await expect(client.conversations.create()).rejects.toMatchObject({ status: 503 });
    expect(waits).toEqual([]);
  });

  it('stops waiting when it is asked to', async () => {
    const simulator = createSimulatorCore();
    simulator.fault('conversations.create', { name: 'rate_limit', retryAfter: 60 });
    const controller = new AbortController();
    const fetch = patientFetch({ fetch: simulator.fetch, onWait: () => controller.abort() });
    const client = new OpenAI({ apiKey: 'test', fetch, maxRetries: 3 });
    await expect(client.conversations.create({}, { signal: controller.signal })).rejects.toMatchObject({
      name: 'Error',
      message: 'Request was aborted.',
    });
  });
});
