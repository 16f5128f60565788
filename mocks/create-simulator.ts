import { http, HttpResponse, type HttpHandler } from 'msw';
import { BrokenConnection } from './http/broken-connection.ts';
import type { SimulatorOptions } from './options.ts';
import { createSimulatorCore, type SimulatorCore } from './simulator.ts';

/** A simulator that can also be given to msw. */
export interface Simulator extends SimulatorCore {
  /** For `setupServer(...simulator.handlers)`: serves the API at any origin, and nothing else. */
  readonly handlers: HttpHandler[];
}

/** The paths taken over, at any origin; everything else at api.openai.com is answered as an unknown URL. */
const PATHS = [
  '*/v1/conversations',
  '*/v1/conversations/*',
  '*/v1/responses',
  '*/v1/responses/*',
  'https://api.openai.com/v1/*',
] as const;

/**
 * Creates a simulator of the Conversations and Responses endpoints.
 * @throws RangeError for an option that makes no sense.
 */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const core = createSimulatorCore(options);
  const handlers = PATHS.map((path) => http.all(path, ({ request }) => answered(core, request)));
  return Object.assign(core, { handlers });
}

async function answered(core: SimulatorCore, request: Request): Promise<Response> {
  try {
    return await core.handle(request);
  } catch (error) {
    if (error instanceof BrokenConnection) return HttpResponse.error();
    throw error;
  }
}
