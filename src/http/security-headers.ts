import type { RequestHandler } from 'express';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet, { type HelmetOptions } from 'helmet';
import { pathOf } from './request-context';

/** Where pages are served: the documents, and nothing else yet. */
const PAGES = '/docs';

/** Names and values of headers that are the same in every answer. */
export type FixedHeaders = readonly (readonly [name: string, value: string])[];

/**
 * Answers are data: a browser that is led to show one as a page may load and run nothing. Headers
 * that only matter for pages are left out, since every answer pays for every header.
 */
export const DATA_HEADERS = headersOf({
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
const PAGE_HEADERS = headersOf({
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
  setHeaders(response, isPage ? PAGE_HEADERS : DATA_HEADERS);
  next();
};

/** Sets them all. */
export function setHeaders(response: ServerResponse, headers: FixedHeaders): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}

/** What helmet sets: none of it depends on the request, so that it is asked once. */
function headersOf(options: HelmetOptions): FixedHeaders {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet(options)(request, response, (error) => {
    if (error !== undefined) throw error as Error;
  });
  return response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]);
}

function policy(
  directives: Readonly<Record<string, string[]>>,
): Pick<HelmetOptions, 'contentSecurityPolicy'> {
  return { contentSecurityPolicy: { useDefaults: false, directives: { ...directives } } };
}
