import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NonEmpty } from '../core/units';
import { Admission, admit } from './admit';
import type { Dialect } from './dialect';
import { DialectExceptionFilter } from './dialect-exception.filter';
import { DialectPipe } from './dialect.pipe';
import { FailureAnswers } from './failure-answers';
import { readJson, type BodyLimits } from './read-json';
import { securityHeaders } from './security-headers';
import { applyServerLimits } from './server-limits';

const MIB = 1_048_576;

/** How an application of ours speaks HTTP. */
export interface HttpOptions {
  /** What is spoken here; the last one owns every path that is nobody else's. */
  readonly dialects: NonEmpty<Dialect>;
  readonly admission: Admission;
  /** Bytes that a body may have. Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** Declared path (`/queue/submit_batch`) to its own limit in bytes. */
  readonly bodyLimits?: Readonly<Record<string, number>>;
}

/**
 * Makes a Nest application ours: admission and body reading before every route, one validation
 * pipe, one exception filter, and none of Express's defaults that cost time or say who we are.
 * To be called before `app.init` and `app.listen`, on an app created with `bodyParser: false`.
 *
 * @throws {Error} when a trusted network is not a CIDR block, or a route is declared twice
 */
export function configureHttp(app: NestExpressApplication, options: HttpOptions): void {
  app.set('etag', false);
  app.set('query parser', false);
  app.disable('x-powered-by');
  app.use(securityHeaders);
  app.use(admit(options.dialects, options.admission));
  app.use(readJson(bodyLimitsOf(options)));
  app.useGlobalPipes(new DialectPipe());
  app.useGlobalFilters(new DialectExceptionFilter(new FailureAnswers(options.dialects)));
  applyServerLimits(app.getHttpServer());
}

/** Bytes that bodies may have, defaults filled in. */
export function bodyLimitsOf({ bodyLimitBytes = MIB, bodyLimits = {} }: HttpOptions): BodyLimits {
  return { defaultBytes: bodyLimitBytes, perPath: bodyLimits };
}
