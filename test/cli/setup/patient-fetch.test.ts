import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../../mocks/simulator.ts';
import { patientFetch } from '../../../src/cli/setup/open-client.ts';

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
  it('patientFetch waits as long and as often as the server asks for', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'rate_limit', retryAfter: 7, times: 12 });
    expect((await client.conversations.create()).object).toBe('conversation');
    expect(waits).toEqual(Array.from({ length: 12 }, () => 7000));
  });

  it('patientFetch doubles its wait without retry-after', async () => {
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

  it('patientFetch waits until the date of retry-after, by its own clock', async () => {
    const headers = { 'retry-after': 'Thu, 01 Jan 2026 12:00:30 GMT' };
    const answers = [503, 429, 200].map((status) => Response.json({}, { status, headers }));
    const waits: number[] = [];
    const fetch = patientFetch({
      fetch: async () => answers.shift() ?? Response.error(),
      onWait: (milliseconds) => waits.push(milliseconds),
      wait: async () => undefined,
      now: () => Date.UTC(2026, 0, 1, 12, 0, 0) + waits.length * 60_000,
    });
    expect((await fetch('http://127.0.0.1')).status).toBe(200);
    expect(waits).toEqual([30_000, 2]);
  });

  it('patientFetch gives up after the longest wait', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'rate_limit', retryAfter: 200 });
    await expect(client.conversations.create()).rejects.toMatchObject({ status: 429 });
    expect(waits).toEqual([200_000, 200_000]);
  });

  it('patientFetch does not wait for an exhausted quota, or for another error', async () => {
    const simulator = createSimulatorCore();
    const { client, waits } = patient(simulator);
    simulator.fault('conversations.create', { name: 'insufficient_quota', times: 1 });
    await expect(client.conversations.create()).rejects.toMatchObject({ code: 'insufficient_quota' });
    simulator.fault('conversations.create', { name: 'overloaded', times: 1 });
    await expect(client.conversations.create()).rejects.toMatchObject({ status: 503 });
    expect(waits).toEqual([]);
  });

  it('patientFetch stops waiting when the signal is aborted', async () => {
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
