import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Doorkeeper } from './admit';
import { bodyLimitsOf, type HttpOptions } from './configure-http';
import { checkContent } from './content-check';
import { FailureAnswers } from './failure-answers';
import { hotRoutesOf, type HotRoute } from './front-door';
import { goneOf } from './gone';
import { readDto } from './read-dto';
import { BodyReader } from './read-json';
import { requestIdOf } from './request-context';
import { routeFor, RouteTable, type RouteMatch } from './route-table';
import { DATA_HEADERS, setHeaders } from './security-headers';

/** What every hot call passes: the same that stands before Express. */
interface Checks {
  readonly doorkeeper: Doorkeeper;
  readonly bodies: BodyReader;
  readonly failures: FailureAnswers;
}

/**
 * The front door of an application: answers the calls marked by `FrontDoor`, and hands everything
 * else to Express, also a marked call with a query or a slash at its end. Both entrances make the
 * same checks and call the same handler; what is saved is what Express and Nest do around them.
 * To be called after `app.init`, with the options that `configureHttp` had.
 *
 * @throws {Error} when a marked handler cannot be called so, or is declared in no dialect
 */
export function openFrontDoor(app: NestExpressApplication, options: HttpOptions): RequestListener {
  const express = app.getHttpAdapter().getInstance() as RequestListener;
  const table = new RouteTable(options.dialects);
  const checks: Checks = {
    doorkeeper: new Doorkeeper(options.admission),
    bodies: new BodyReader(bodyLimitsOf(options)),
    failures: new FailureAnswers(options.dialects),
  };
  const entrances = new Map(
    hotRoutesOf(app).map((route) => {
      const match = routeFor(table.at(route.path), route.method);
      if (!match) throw new Error(`${route.method} ${route.path} is declared in no dialect`);
      return [`${route.method} ${route.path}`, new Entrance(route, match, checks)];
    }),
  );
  return (request, response) => {
    const entrance = entrances.get(`${request.method ?? ''} ${request.url ?? ''}`);
    if (entrance) entrance.take(request, response);
    else express(request, response);
  };
}

/** The front door for one call. */
class Entrance {
  private readonly bodyLimit: number;

  constructor(
    private readonly route: HotRoute,
    private readonly match: RouteMatch,
    private readonly checks: Checks,
  ) {
    this.bodyLimit = checks.bodies.limitAt(route.path);
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    try {
      const { doorkeeper } = this.checks;
      doorkeeper.checkHost(request.headers.host);
      const verdict = doorkeeper.admitTo(this.match, request);
      if (verdict === undefined) this.enter(request, response);
      else this.enterLater(verdict, request, response);
    } catch (error) {
      this.fail(error, request, response);
    }
  }

  private enterLater(
    verdict: Promise<void>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    verdict
      .then(() => this.enter(request, response))
      .catch((error: unknown) => this.fail(error, request, response));
  }

  private enter(request: IncomingMessage, response: ServerResponse): void {
    checkContent(request.headers, this.match.dialect);
    this.checks.bodies.read(request, this.bodyLimit, (body, error) => {
      if (body === undefined) this.fail(error, request, response);
      else void this.answer(body, request, response);
    });
  }

  private async answer(
    body: object,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { dto, takesGone, handle, status } = this.route;
    try {
      const read = readDto(dto, body, 'body');
      const answer = await (takesGone ? handle(read, goneOf(response)) : handle(read));
      send(response, status, requestIdOf(request), JSON.stringify(answer));
    } catch (error) {
      this.fail(error, request, response);
    }
  }

  private fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    if (!response.headersSent) setHeaders(response, DATA_HEADERS);
    this.checks.failures.answer(error, request, response, this.route.path);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** Names and values in one list are what the server takes fastest. */
const FIXED = [...DATA_HEADERS.flat(), 'Content-Type', JSON_TYPE];

function send(response: ServerResponse, status: number, requestId: string, text: string): void {
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, [...FIXED, 'X-Request-Id', requestId, 'Content-Length', length]);
  response.end(text);
}
