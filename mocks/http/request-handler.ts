import { setTimeout as sleep } from 'node:timers/promises';
import { apiPath } from './api-path.ts';
import { BrokenConnection } from './broken-connection.ts';
import { eventStream } from './event-stream.ts';
import { countedResponse } from './counted-response.ts';
import type { Answer, Exchange, PassedAnswer } from './exchange.ts';
import type { LogEntry, RequestLog } from './log.ts';
import { parseBody, readBody } from './read-body.ts';
import { findRoute, type Route, type RouteMatch } from './routes.ts';
import type { FaultRegistry } from '../faults/fault-registry.ts';
import { answerThroughGateway, gatewayId, requestBehindGateway } from '../profiles/gateway-ids.ts';
import { missingRoutes } from '../profiles/missing-routes.ts';
import type { Unlinking } from '../unlinking.ts';
import { forward } from '../upstream/forward.ts';
import type { Recorder } from '../upstream/recorder.ts';
import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { Account } from '../world/account.ts';
import { memoryOf } from '../world/connection-memory.ts';
import type { World } from '../world/world.ts';

/** The state and the parts that requests are served from. */
export interface HandlerParts {
  readonly world: World;
  readonly unlinking: Unlinking;
  readonly faults: FaultRegistry;
  readonly log: RequestLog;
  /** Answers in the place of the simulator while it records or replays. */
  readonly recorder: () => Recorder | undefined;
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
    const path = apiPath(url.pathname) ?? url.pathname;
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

  async #answer(request: Request, url: URL, entry: LogEntry): Promise<Answer | PassedAnswer | ApiError> {
    try {
      const match = findRoute(entry.method, entry.path);
      const recorder = this.#parts.recorder();
      if (recorder) return await this.#record(recorder, match, request, entry);
      const { passthrough } = this.#parts.world.settings;
      const isUnknown = match.kind === 'unknown' || apiPath(url.pathname) === undefined;
      if (isUnknown && passthrough !== undefined) return await this.#passOn(passthrough, request, entry);
      if (isUnknown) throw errors.unknownUrl(entry.method, url.pathname);
      if (match.kind === 'wrong-method') throw errors.wrongMethod(entry.method, url.pathname, match.allow);
      entry.operation = match.route.operation;
      const account = this.#account(request);
      entry.tenant = account.name;
      await this.#read(request, entry);
      const body = parseBody(entry.bodyText);
      return await this.#serve(
        match.route,
        { account, body, params: match.params, query: url.searchParams, memory: memoryOf(request) },
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

  async #read(request: Request, entry: LogEntry): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await readBody(request, this.#parts.world.settings.maxBodyBytes);
    entry.bodyText = Buffer.from(bytes).toString();
    entry.requestBytes = bytes.byteLength;
    return bytes;
  }

  async #passOn(upstream: string, request: Request, entry: LogEntry): Promise<PassedAnswer> {
    const body = await this.#read(request, entry);
    const target = `${entry.path}${entry.query}`;
    return { kind: 'passed', response: await forward(request, { upstream, target, body }) };
  }

  /** Faults strike a recorded request, too, as far as they take the place of an answer. */
  async #record(
    recorder: Recorder,
    match: RouteMatch,
    request: Request,
    entry: LogEntry,
  ): Promise<PassedAnswer> {
    const { path, query } = entry;
    const body = await this.#read(request, entry);
    if (match.kind === 'route') entry.operation = match.route.operation;
    const struck = entry.operation && { operation: entry.operation, path, body: entry.body ?? {} };
    const faults = struck && this.#parts.faults.strike(struck);
    if (struck) await faults?.interrupt(struck, 'before');
    const response = await recorder.answer({ request, path, query, body });
    if (struck) await faults?.interrupt(struck, 'after');
    return { kind: 'passed', response };
  }

  async #serve(
    route: Route,
    asked: Pick<Exchange, 'account' | 'body' | 'params' | 'query' | 'memory'>,
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
    const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const key = bearer ?? (request.headers.get('api-key') || undefined);
    if (key === undefined) throw errors.missingApiKey();
    if (world.settings.apiKeys && !world.settings.apiKeys.includes(key)) throw errors.invalidApiKey();
    return world.account(key);
  }

  #send(
    answer: Answer | PassedAnswer | ApiError,
    signal: AbortSignal,
    entry: LogEntry,
    requestId: string,
  ): Response {
    const { log } = this.#parts;
    if (!(answer instanceof ApiError) && answer.kind === 'passed') {
      entry.status = answer.response.status;
      return countedResponse(answer.response, {
        sent: (bytes) => {
          entry.responseBytes += bytes;
        },
        ended: () => log.finish(entry),
      });
    }
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
