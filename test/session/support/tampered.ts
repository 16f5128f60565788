import type OpenAI from 'openai';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import { simulatedClient } from '../../support/simulated.ts';

/** A request that a proxy sees. */
export interface SeenRequest {
  readonly method: string;
  /** After `/v1`, without the query. */
  readonly path: string;
}

/** What comes in the place of an answer; undefined lets it through. */
export type Tamper = (
  request: SeenRequest,
  answer: () => Promise<Response>,
) => Promise<Response | undefined> | Response | undefined;

/** A client behind a proxy that answers for the API, or changes what the API answered. */
export function tamperedClient(simulator: SimulatorCore, tamper: Tamper, maxRetries = 0): OpenAI {
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname.replace(/^\/v1/, '');
    let answered: Promise<Response> | undefined;
    const answer = (): Promise<Response> => (answered ??= simulator.fetch(request));
    return (await tamper({ method: request.method, path }, answer)) ?? answer();
  };
  return simulatedClient({ ...simulator, fetch }, maxRetries);
}

/** Changes the JSON of an answer. */
export async function changed(
  answer: Promise<Response>,
  change: (body: Record<string, unknown>) => unknown,
): Promise<Response> {
  const response = await answer;
  const body: unknown = await response.json();
  return Response.json(change({ ...(body as Record<string, unknown>) }), { status: response.status });
}

/** An answer that says it is JSON and is not; it quotes what nobody must see. */
export function notJson(): Response {
  return new Response('<html>sk-secret the gateway is tired', {
    headers: { 'content-type': 'application/json' },
  });
}

/** An answer that is not even said to be JSON. */
export function html(): Response {
  return new Response('<html>sk-secret the gateway is tired', { headers: { 'content-type': 'text/html' } });
}
