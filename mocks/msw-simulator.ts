import { bypass, http, HttpResponse, passthrough, type HttpHandler } from 'msw';
import { BrokenConnection } from './http/broken-connection.ts';
import { createSimulator, type Simulator } from './create-simulator.ts';
import type { SimulatorOptions } from './options.ts';
import type { SimulatorCore } from './simulator.ts';
import { intercepted, isForwarding } from './upstream/forward.ts';

/** A simulator that can also be given to msw. */
export interface MswSimulator extends Simulator {
  /** For `setupServer(...simulator.handlers)`: serves the API at any origin, and nothing else. */
  readonly handlers: HttpHandler[];
}

/** The paths taken over, at any origin; everything else at api.openai.com is answered as an unknown URL. */
const PATHS = [
  ...['*/v1', '*/openai', '*/openai/deployments/:name'].flatMap((base) =>
    ['conversations', 'responses'].flatMap((name) => [`${base}/${name}`, `${base}/${name}/*`]),
  ),
  'https://api.openai.com/v1/*',
];

/**
 * Creates a simulator of the Conversations and Responses endpoints, with handlers for msw.
 * @throws RangeError for an unknown option, or a value that makes no sense.
 * @example
 * const simulator = createSimulator();
 * setupServer(...simulator.handlers).listen();
 */
export function createMswSimulator(options: SimulatorOptions = {}): MswSimulator {
  const simulator = createSimulator(options);
  const handlers = PATHS.map((path) => http.all(path, ({ request }) => answered(simulator, request)));
  return Object.assign(simulator, { handlers });
}

async function answered(core: SimulatorCore, request: Request): Promise<Response> {
  if (isForwarding()) return passthrough();
  try {
    return framed(await intercepted(bypass, () => core.handle(request)));
  } catch (error) {
    if (error instanceof BrokenConnection) return HttpResponse.error();
    throw error;
  }
}

/** Marks a stream as one in chunks, as the API does: msw 3 shows the end of any other as a clean one, also if it broke. */
function framed(response: Response): Response {
  const { headers } = response;
  if (headers.get('content-type')?.startsWith('text/event-stream') === true)
    headers.set('transfer-encoding', 'chunked');
  return response;
}
