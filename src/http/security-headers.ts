import type { RequestHandler } from 'express';
import helmet, { type HelmetOptions } from 'helmet';
import { pathOf } from './request-context';

/** Where pages are served: the documents, and nothing else yet. */
const PAGES = '/docs';

/**
 * Answers are data: a browser that is led to show one as a page may load and run nothing. Headers
 * that only matter for pages are left out, since every answer pays for every header.
 */
const forData = helmet({
  ...policy({ defaultSrc: ["'none'"], frameAncestors: ["'none'"] }),
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

/** The Swagger page brings its scripts as files, its styles in tags and its icons as data. */
const forPages = helmet({
  ...policy({
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  }),
  // This port speaks plain HTTP; a proxy that adds TLS decides for how long that is promised.
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
});

/** Sets the headers that keep browsers from making more of an answer than it is. */
export const securityHeaders: RequestHandler = (request, response, next) => {
  const path = pathOf(request.url);
  const isPage = path === PAGES || path.startsWith(`${PAGES}/`);
  (isPage ? forPages : forData)(request, response, next);
};

function policy(
  directives: Readonly<Record<string, string[]>>,
): Pick<HelmetOptions, 'contentSecurityPolicy'> {
  return { contentSecurityPolicy: { useDefaults: false, directives: { ...directives } } };
}
