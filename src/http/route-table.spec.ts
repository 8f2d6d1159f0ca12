import type { Dialect, DialectRoute } from './dialect';
import { nativeDialect } from './problem-details';
import { ownerOf } from './route-owner';
import { allowedMethods, routeFor, RouteTable } from './route-table';

const route = (method: DialectRoute['method'], path: string): DialectRoute => ({
  method,
  path,
  access: 'open',
});

const table = new RouteTable([
  nativeDialect([
    route('GET', '/jobs/:id'),
    route('DELETE', '/jobs/:id'),
    route('POST', '/jobs/batch'),
    route('GET', '/jobs/:id/logs'),
    route('GET', '/docs'),
    route('GET', '/docs/*rest'),
    route('GET', '/'),
  ]),
]);

const found = (method: string, path: string): string | undefined =>
  routeFor(table.at(path), method)?.route.path;

describe('RouteTable', () => {
  it.each([
    ['GET', '/', '/'],
    ['GET', '/jobs/7', '/jobs/:id'],
    ['HEAD', '/jobs/7/', '/jobs/:id'],
    ['DELETE', '/jobs/7', '/jobs/:id'],
    ['GET', '/jobs/7/logs', '/jobs/:id/logs'],
    ['POST', '/jobs/batch', '/jobs/batch'],
    ['GET', '/jobs/batch', '/jobs/:id'],
    ['GET', '/docs', '/docs'],
    ['GET', '/docs/', '/docs'],
    ['GET', '/docs/a/b.js', '/docs/*rest'],
    ['POST', '/jobs/7', undefined],
    ['GET', '/jobs', undefined],
    ['GET', '/jobs/', undefined],
    ['GET', '/jobs//logs', undefined],
    ['GET', '/jobs/7/logs/1', undefined],
    ['GET', '/Docs', undefined],
    ['GET', '', undefined],
    ['GET', '/__proto__', undefined],
  ])('%s %s leads to %s', (method, path, expected) => {
    expect(found(method, path)).toBe(expected);
  });

  it('gathers what a path takes over all its entries', () => {
    expect(allowedMethods(table.at('/jobs/batch')).sort()).toEqual([
      'DELETE',
      'GET',
      'HEAD',
      'POST',
    ]);
    expect(allowedMethods(table.at('/none'))).toEqual([]);
  });
});

describe('ownerOf', () => {
  const named = (name: string, prefix: string, routes: readonly DialectRoute[] = []): Dialect => ({
    ...nativeDialect(routes),
    name,
    owns: (path) => path.startsWith(prefix),
  });
  const apr = named('apr', '/scheduler/');
  const swarm = named('swarm', '/queue/', [route('POST', '/scheduler/set')]);
  const native = named('native', '/v1/');

  it.each([
    ['/scheduler/set', 'swarm'],
    ['/scheduler/jobs', 'apr'],
    ['/queue/none', 'swarm'],
    ['/v1/x', 'native'],
    ['/elsewhere', 'native'],
  ])('%s is owned by %s', (path, owner) => {
    expect(ownerOf([apr, swarm, native], path).name).toBe(owner);
  });
});
