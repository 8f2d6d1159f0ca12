import { DIALECTS } from '../../src/app.module';
import { ConformanceRig } from '../support/conformance-rig';
import type { Answer } from '../support/service-process';

jest.setTimeout(60_000);

/** As much of OpenAPI as is looked at here. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}
interface Body {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Schema>>;
  readonly content: Readonly<Record<string, Content>>;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly (Schema & { readonly name: string; readonly schema: Schema })[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let rig: ConformanceRig;
let answer: Answer;
let document: Document;

beforeAll(async () => {
  rig = await ConformanceRig.start();
  answer = await rig.get('/openapi.json');
  document = answer.body as Document;
});
afterAll(() => rig.close());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const found = document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`${schema.$ref} leads nowhere`);
  return found;
}

const examplesOf = ({ example, examples }: Content): unknown[] => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples ?? {}).map(({ value }) => value),
];

describe('/openapi.json', () => {
  it('is a JSON document of this version', async () => {
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(document.openapi).toMatch(/^3\./);
    const { version } = (await rig.get('/health')).body as { version: string };
    expect(document.info).toMatchObject({ title: 'Foresail', version });
  });

  it('describes every call of every protocol, and nothing else', () => {
    const pages = ['/', '/docs', '/docs/*rest', '/openapi.json'];
    const declared = DIALECTS.flatMap(({ routes }) => routes)
      .filter(({ path }) => !pages.includes(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
    expect(operations().map(([name]) => name)).toEqual(expect.arrayContaining(declared));
    expect(operations()).toHaveLength(declared.length);
  });

  it('names every call, says what it does and where it belongs', () => {
    const tags = document.tags.map(({ name }) => name);
    for (const [name, { operationId, summary, tags: own }] of operations()) {
      expect([name, operationId]).toEqual([name, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
      expect([name, summary]).toEqual([name, expect.stringMatching(/^[A-Z].{10,}\.$/)]);
      expect([name, tags.filter((tag) => own.includes(tag))]).toEqual([name, own]);
      expect(own).toHaveLength(1);
    }
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows every success as 200, with examples', () => {
    for (const [name, { responses }] of operations()) {
      expect([name, Object.keys(responses).filter((status) => status < '400')]).toEqual([
        name,
        ['200'],
      ]);
      for (const content of Object.values(responses['200']?.content ?? {})) {
        expect([name, examplesOf(content).length]).toEqual([name, expect.any(Number)]);
        expect(examplesOf(content).length).toBeGreaterThan(0);
      }
    }
  });

  it('shows every body that is taken, with an example of each field', () => {
    const bodies = operations().flatMap(([name, { requestBody }]) =>
      requestBody === undefined ? [] : [[name, requestBody] as const],
    );
    expect(bodies.length).toBeGreaterThan(0);
    for (const [name, requestBody] of bodies) {
      const { properties = {} } = resolved(requestBody.content['application/json']!.schema);
      expect([name, Object.keys(properties).length]).not.toEqual([name, 0]);
      for (const [field, { example }] of Object.entries(properties)) {
        expect([name, field, example]).not.toEqual([name, field, undefined]);
      }
    }
  });

  it.each([
    ['/queue/submit_batch', ['model_name', 'tasks']],
    ['/scheduler/jobs/batch', ['jobs']],
  ])('does not take the body of another call for that of %s', (path, fields) => {
    const { schema } = document.paths[path]!['post']!.requestBody!.content['application/json']!;
    expect(Object.keys(resolved(schema).properties ?? {}).sort()).toEqual(fields);
  });

  it('describes every parameter', () => {
    for (const [name, { parameters }] of operations()) {
      for (const { name: parameter, description, schema } of parameters) {
        expect([name, parameter, description]).toEqual([name, parameter, expect.any(String)]);
        expect([name, schema.example]).not.toEqual([name, undefined]);
      }
    }
  });

  it('shows every failure with its shape and an example', () => {
    for (const [name, { responses, requestBody, tags }] of operations()) {
      const failures = Object.entries(responses).filter(([status]) => status >= '400');
      expect([name, failures.length]).not.toEqual([name, 0]);
      if (requestBody !== undefined) {
        // Wrong input is 400 in two protocols, and 422 in the others.
        const wrong = tags.some((tag) => ['APR', 'dtask'].includes(tag)) ? [] : ['422'];
        for (const status of ['400', '413', '415', ...wrong])
          expect(responses).toHaveProperty(status);
      }
      for (const [status, { content, headers }] of failures) {
        for (const one of Object.values(content)) {
          const known = Object.keys(resolved(one.schema).properties ?? {});
          expect(examplesOf(one).length).toBeGreaterThan(0);
          for (const example of examplesOf(one)) {
            expect([name, status, known]).toEqual([
              name,
              status,
              expect.arrayContaining(Object.keys(example as object)),
            ]);
          }
        }
        if (['429', '503'].includes(status)) expect(headers).toHaveProperty('Retry-After');
      }
    }
  });

  it('describes every property of every schema', () => {
    for (const [name, { properties = {} }] of Object.entries(document.components.schemas)) {
      expect([name, Object.keys(properties).length]).not.toEqual([name, 0]);
      for (const [property, { description = '' }] of Object.entries(properties)) {
        expect([name, property, description]).toEqual([
          name,
          property,
          expect.stringMatching(/^[^@]{8,}$/),
        ]);
      }
    }
  });

  it('says of examples only what the schemas say', () => {
    for (const [name, { responses }] of operations()) {
      for (const one of Object.values(responses['200']?.content ?? {})) {
        const { properties } = resolved(one.schema);
        if (properties === undefined) continue;
        for (const example of examplesOf(one)) {
          expect([name, Object.keys(example as object).sort()]).toEqual([
            name,
            Object.keys(properties).sort(),
          ]);
        }
      }
    }
  });
});

describe('/docs', () => {
  const POLICY =
    "default-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;object-src 'none';" +
    "base-uri 'none';form-action 'none';frame-ancestors 'none'";

  it('is where / leads', async () => {
    const { status, headers } = await rig.get('/');
    expect([status, headers['location']]).toEqual([302, '/docs']);
  });

  it('is a page whose files all come from here, under a policy that lets them work', async () => {
    for (const path of ['/docs', '/docs/']) {
      const { status, headers, body } = await rig.get(path);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['content-security-policy']).toBe(POLICY);
      const page = String(body);
      const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
      expect(files.length).toBeGreaterThanOrEqual(4);
      expect(page).not.toMatch(/<script(?![^>]* src=)/);
      for (const file of files) {
        const url = new URL(file, rig.service.url + path);
        expect(url.origin).toBe(rig.service.url);
        const { status: found, headers: own } = await rig.get(url.pathname);
        expect([file, found]).toEqual([file, 200]);
        expect(own['content-security-policy']).toBe(POLICY);
      }
    }
  });

  it('carries the document', async () => {
    const script = String((await rig.get('/docs/swagger-ui-init.js')).body);
    for (const [, { operationId }] of operations()) expect(script).toContain(operationId);
    expect(script).not.toMatch(/validator\.swagger\.io/);
  });

  it.each([
    '/docs/nothing',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%2e%2e/package.json',
    '/docs-json',
  ])('has nothing else: %s', async (path) => {
    const { status, headers } = await rig.get(path);
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/problem+json');
  });

  it.each(['/', '/docs', '/docs/x', '/openapi.json', '/livez', '/readyz', '/version'])(
    'is only read: POST %s',
    async (path) => {
      const { status, headers } = await rig.post(path, {});
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    },
  );
});

describe('/livez', () => {
  it('says that the process lives', async () => {
    const { status, headers, body } = await rig.get('/livez');
    expect([status, headers['content-type'], body]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'ok',
    ]);
  });
});

describe('/readyz', () => {
  it('says that it leads and can record', async () => {
    const { status, body } = await rig.get('/readyz');
    expect([status, body]).toEqual([200, { status: 'ready', epoch: 1 }]);
  });
});

describe('/version', () => {
  it('says what this is, and since when', async () => {
    const { status, headers, body } = await rig.get('/version');
    const { version } = document.info;
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    const started = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const { node } = body as { node: string };
    expect(body).toEqual({ name: 'foresail', version, node, started_at: started });
    expect(node).toMatch(/^v\d+\.\d+\.\d+$/);
  });
});
