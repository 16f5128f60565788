import { setTimeout as sleep } from 'node:timers/promises';
import { BrokenConnection } from './broken-connection.ts';
import { eventStream } from './event-stream.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { LogEntry, RequestLog } from './log.ts';
import { parseBody, readBody } from './read-body.ts';
import { findRoute, type Route } from './routes.ts';
import type { FaultRegistry } from '../faults/fault-registry.ts';
import { answerThroughGateway, gatewayId, requestBehindGateway } from '../profiles/gateway-ids.ts';
import { missingRoutes } from '../profiles/missing-routes.ts';
import type { Unlinking } from '../unlinking.ts';
import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { JsonObject } from '../wire/json.ts';
import type { Account } from '../world/account.ts';
import type { World } from '../world/world.ts';

/** The state and the parts that requests are served from. */
export interface HandlerParts {
  readonly world: World;
  readonly unlinking: Unlinking;
  readonly faults: FaultRegistry;
  readonly log: RequestLog;
}

/** Serves the requests of `fetch`, of msw and of a listening server. */
export class RequestHandler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /**
   * Answers a request; every error of the API is an answer too.
   * @throws BrokenConnection if a fault breaks the connection.
   */
  async handle(request: Request): Promise<Response> {
    const { world, log } = this.#parts;
    const url = new URL(request.url);
    const path = /\/v1(\/.*)$/.exec(url.pathname)?.[1] ?? url.pathname;
    world.clock.tick();
    const entry = log.begin(world.clock.now(), request.method, path, url.search);
    const requestId = world.ids.request();
    try {
      return this.#send(await this.#answer(request, url, entry), request.signal, entry, requestId);
    } catch (error) {
      log.finish(entry);
      throw error;
    }
  }

  async #answer(request: Request, url: URL, entry: LogEntry): Promise<Answer | ApiError> {
    try {
      const match = findRoute(entry.method, entry.path);
      if (match.kind === 'unknown' || !url.pathname.includes('/v1/'))
        throw errors.unknownUrl(entry.method, url.pathname);
      if (match.kind === 'wrong-method') throw errors.wrongMethod(entry.method, url.pathname, match.allow);
      entry.operation = match.route.operation;
      const account = this.#account(request);
      entry.tenant = account.name;
      entry.bodyText = await readBody(request, this.#parts.world.settings.maxBodyBytes);
      entry.requestBytes = Buffer.byteLength(entry.bodyText);
      const body = parseBody(entry.bodyText);
      return await this.#serve(
        match.route,
        { account, body, params: match.params, query: url.searchParams },
        entry,
      );
    } catch (error) {
      if (error instanceof ApiError) return error;
      if (error instanceof BrokenConnection) throw error;
      return errors.server(
        500,
        `The simulator failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  async #serve(
    route: Route,
    asked: { account: Account; body: JsonObject; params: readonly string[]; query: URLSearchParams },
    entry: LogEntry,
  ): Promise<Answer> {
    const { world, unlinking } = this.#parts;
    const { rewritesIds, conversations } = world.settings.profile;
    if (conversations !== 'served' && route.operation.startsWith('conversations.'))
      throw missingRoutes[conversations](entry);
    const request = { operation: route.operation, path: entry.path, body: asked.body };
    const faults = this.#parts.faults.strike(request);
    const exchange: Exchange = {
      world,
      unlinking,
      faults,
      ...(rewritesIds ? requestBehindGateway(asked) : asked),
      sawContext(model, context, responseId) {
        const told = responseId !== undefined && rewritesIds ? gatewayId(responseId) : responseId;
        Object.assign(entry, { model, context, responseId: told });
      },
      sawOutput(output) {
        entry.output = output;
      },
      pause: async () => {
        if (world.settings.latency > 0) await sleep(world.settings.latency);
      },
    };
    await faults.interrupt(request, 'before');
    if (route.operation !== 'responses.create') await exchange.pause();
    const served = await route.serve(exchange);
    const answer = rewritesIds ? answerThroughGateway(served) : served;
    try {
      await faults.interrupt(request, 'after');
    } catch (error) {
      if (answer.kind === 'stream') answer.abandoned();
      throw error;
    }
    if (answer.kind === 'json') return { kind: 'json', body: faults.body(answer.body) };
    return { ...answer, events: faults.events(answer.events) };
  }

  #account(request: Request): Account {
    const { world } = this.#parts;
    const key = /^Bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (key === undefined) throw errors.missingApiKey();
    if (world.settings.apiKeys && !world.settings.apiKeys.includes(key)) throw errors.invalidApiKey();
    return world.account(key);
  }

  #send(answer: Answer | ApiError, signal: AbortSignal, entry: LogEntry, requestId: string): Response {
    const { log } = this.#parts;
    const headers = { 'x-request-id': requestId, 'openai-version': '2020-10-01' };
    entry.status = answer instanceof ApiError ? answer.status : 200;
    if (!(answer instanceof ApiError) && answer.kind === 'stream') {
      const stream = eventStream(answer, signal, {
        sent: (bytes) => {
          entry.responseBytes += bytes;
        },
        ended: () => log.finish(entry),
      });
      return new Response(stream, {
        headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' },
      });
    }
    if (answer instanceof ApiError) entry.error = answer.code ?? answer.message;
    const { text, contentType } =
      answer instanceof ApiError
        ? answer.payload
        : { text: JSON.stringify(answer.body), contentType: 'application/json' };
    entry.responseBytes = Buffer.byteLength(text);
    log.finish(entry);
    return new Response(text, {
      status: entry.status,
      headers: {
        ...headers,
        'content-type': contentType,
        ...(answer instanceof ApiError ? answer.headers : {}),
      },
    });
  }
}
