import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { pathOf } from './request-context';

/** Where pages are served: the documents, and nothing else yet. */
const PAGES = '/docs';

/** Answers are data: a browser that is led to show one as a page may load and run nothing. */
const forData = withPolicy({ defaultSrc: ["'none'"], frameAncestors: ["'none'"] });

/** The Swagger page brings its scripts as files, its styles in tags and its icons as data. */
const forPages = withPolicy({
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  objectSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
});

/** Sets the headers that keep browsers from making more of an answer than it is. */
export const securityHeaders: RequestHandler = (request, response, next) => {
  const path = pathOf(request.url);
  const isPage = path === PAGES || path.startsWith(`${PAGES}/`);
  (isPage ? forPages : forData)(request, response, next);
};

function withPolicy(directives: Readonly<Record<string, string[]>>): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { ...directives } },
    // This port speaks plain HTTP; a proxy that adds TLS decides for how long that is promised.
    strictTransportSecurity: false,
  });
}
