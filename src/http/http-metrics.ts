import { Injectable } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Histogram, Registry } from 'prom-client';
import { routeOf } from './request-context';

const MS_PER_SECOND = 1_000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What was refused before its route was known: the path is the caller's, and no label. */
const NO_ROUTE = '(none)';

/** Counts requests and how long they took, by declared route: never by what a caller sent. */
@Injectable()
export class HttpMetrics {
  private readonly requests: Counter<'method' | 'route' | 'status'>;
  private readonly durations: Histogram<'method' | 'route'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'foresail_http_requests_total',
      help: 'Requests that were answered, by route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    this.durations = new Histogram({
      name: 'foresail_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer.',
      labelNames: ['method', 'route'],
      buckets: SECONDS,
      registers,
    });
  }

  /** To be called when a request comes in. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const began = performance.now();
    response.on('close', () => {
      const { method = NO_ROUTE, path = NO_ROUTE } = routeOf(request)?.route ?? {};
      const seconds = (performance.now() - began) / MS_PER_SECOND;
      this.durations.observe({ method, route: path }, seconds);
      this.requests.inc({ method, route: path, status: response.statusCode });
    });
  }
}
