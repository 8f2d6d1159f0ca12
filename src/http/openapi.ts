import type { INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Express } from 'express';
import { VERSION } from '../config/version';
import type { DialectRoute } from './dialect';

const PAGE = '/docs';
const JSON_DOCUMENT = '/openapi.json';

const document = (path: string): DialectRoute => ({ method: 'GET', path, access: 'document' });

/** Where the API describes itself. */
export const OPENAPI_ROUTES: readonly DialectRoute[] = [
  document('/'),
  document(PAGE),
  document(`${PAGE}/*rest`),
  document(JSON_DOCUMENT),
];

const DESCRIPTION = `A prediction-aware task scheduler for fleets that people own.

Register an instance, submit tasks for its model, and ask what became of them. Durations are
milliseconds. Payloads are kept and passed on exactly; numbers that JavaScript cannot hold, NUL and
lone surrogates are refused. Every answer carries \`X-Request-Id\`, which is also in the log.

A call needs a key once one exists (\`foresail keys create\`), except from trusted networks.`;

/** Bearer and X-API-Key are two ways to present the same key; an empty entry is none at all. */
const SECURITY = [{}, { bearer: [] }, { apiKey: [] }];

/**
 * The OpenAPI document of everything that the application serves. Texts of fields and summaries of
 * calls are there only in a build of `nest build`, whose compiler plugin reads the comments.
 */
export function buildOpenApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Foresail')
    .setVersion(VERSION)
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addTag('SwarmPilot', 'The protocol of the SwarmPilot scheduler: model tasks, their instances.')
    .addTag('APR', 'The protocol of the APR batch scheduler: shell jobs, the hosts that run them.')
    .addTag(
      'dtask',
      'The protocol of dtask-scheduler: workers that heartbeat, and placement alone.',
    )
    .addTag('Predictor', 'The interface of a predictor: how long a task would run.')
    .addTag('Native', 'What the protocols have no words for. Failures are problem details.')
    .addTag('Service', 'For whoever keeps the process running.')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key.' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key.' }, 'apiKey')
    .build();
  const built = SwaggerModule.createDocument(app, config);
  dropGuessedAnswers(built);
  return { ...built, security: SECURITY };
}

/**
 * Serves the document at `/openapi.json` and Swagger UI, with its files from this machine, at
 * `/docs`; `/` leads there. To be called before `app.init`.
 */
export function serveOpenApi(app: NestExpressApplication): void {
  SwaggerModule.setup(PAGE, app, () => buildOpenApi(app), {
    jsonDocumentUrl: JSON_DOCUMENT,
    raw: ['json'],
    customSiteTitle: 'Foresail API',
    swaggerOptions: { validatorUrl: null, tryItOutEnabled: true, displayRequestDuration: true },
  });
  const express: Express = app.getHttpAdapter().getInstance();
  express.get('/', (_request, response) => response.redirect(PAGE));
}

/** The compiler plugin takes it that a POST answers 201; here every success is 200. */
function dropGuessedAnswers({ paths }: OpenAPIObject): void {
  for (const { post } of Object.values(paths)) {
    if (post) Reflect.deleteProperty(post.responses, '201');
  }
}
